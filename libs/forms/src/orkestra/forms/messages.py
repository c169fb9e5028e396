"""The sentences that people read, in English, German and French."""

from typing import Any

TEXTS: dict[str, dict[str, str]] = {
    "required": {
        "en": "This field is required.",
        "de": "Dieses Feld ist erforderlich.",
        "fr": "Ce champ est obligatoire.",
    },
    "unknown_field": {
        "en": "The form has no such field.",
        "de": "Das Formular hat kein solches Feld.",
        "fr": "Le formulaire n'a pas ce champ.",
    },
    "wrong_type": {
        "en": "Must be {limit}.",
        "de": "Muss {limit} sein.",
        "fr": "Doit être {limit}.",
    },
    "not_an_option": {
        "en": "Must be one of: {limit}.",
        "de": "Muss einer dieser Werte sein: {limit}.",
        "fr": "Doit être l'une de ces valeurs : {limit}.",
    },
    "too_short": {
        "en": "Must have at least {limit} characters.",
        "de": "Muss mindestens {limit} Zeichen haben.",
        "fr": "Doit comporter au moins {limit} caractères.",
    },
    "too_long": {
        "en": "Must have at most {limit} characters.",
        "de": "Darf höchstens {limit} Zeichen haben.",
        "fr": "Doit comporter au plus {limit} caractères.",
    },
    "pattern_mismatch": {
        "en": "Does not have the expected form.",
        "de": "Hat nicht die erwartete Form.",
        "fr": "N'a pas la forme attendue.",
    },
    "too_small": {
        "en": "Must be at least {limit}.",
        "de": "Muss mindestens {limit} sein.",
        "fr": "Doit être au moins {limit}.",
    },
    "too_large": {
        "en": "Must be at most {limit}.",
        "de": "Darf höchstens {limit} sein.",
        "fr": "Doit être au plus {limit}.",
    },
    "not_a_step": {
        "en": "Must be a multiple of {limit}.",
        "de": "Muss ein Vielfaches von {limit} sein.",
        "fr": "Doit être un multiple de {limit}.",
    },
    "too_many_decimals": {
        "en": "Must have at most {limit} decimal places.",
        "de": "Darf höchstens {limit} Nachkommastellen haben.",
        "fr": "Doit comporter au plus {limit} décimales.",
    },
    "too_few_items": {
        "en": "Must have at least {limit} entries.",
        "de": "Muss mindestens {limit} Einträge haben.",
        "fr": "Doit comporter au moins {limit} éléments.",
    },
    "too_many_items": {
        "en": "Must have at most {limit} entries.",
        "de": "Darf höchstens {limit} Einträge haben.",
        "fr": "Doit comporter au plus {limit} éléments.",
    },
    "duplicate_item": {
        "en": "Each entry may be given once.",
        "de": "Jeder Eintrag darf nur einmal vorkommen.",
        "fr": "Chaque élément ne peut être donné qu'une fois.",
    },
    "not_an_email": {
        "en": "Must be an e-mail address.",
        "de": "Muss eine E-Mail-Adresse sein.",
        "fr": "Doit être une adresse e-mail.",
    },
    "not_a_url": {
        "en": "Must be a web address that starts with http:// or https://.",
        "de": "Muss eine Webadresse sein, die mit http:// oder https:// beginnt.",
        "fr": "Doit être une adresse web commençant par http:// ou https://.",
    },
    "not_a_phone": {
        "en": "Must be a phone number.",
        "de": "Muss eine Telefonnummer sein.",
        "fr": "Doit être un numéro de téléphone.",
    },
    "not_a_date": {
        "en": "Must be a date such as 2026-12-31.",
        "de": "Muss ein Datum wie 2026-12-31 sein.",
        "fr": "Doit être une date comme 2026-12-31.",
    },
    "not_a_time": {
        "en": "Must be a time such as 14:30.",
        "de": "Muss eine Uhrzeit wie 14:30 sein.",
        "fr": "Doit être une heure comme 14:30.",
    },
    "not_a_datetime": {
        "en": "Must be a date and time with its zone, such as 2026-12-31T14:30:00Z.",
        "de": "Muss Datum und Uhrzeit mit Zeitzone sein, wie 2026-12-31T14:30:00Z.",
        "fr": "Doit être une date et heure avec fuseau, comme 2026-12-31T14:30:00Z.",
    },
    "not_an_amount": {
        "en": "Must be an amount such as 12.50.",
        "de": "Muss ein Betrag wie 12.50 sein.",
        "fr": "Doit être un montant comme 12.50.",
    },
    "unknown_currency": {
        "en": "Must be an ISO 4217 currency code such as EUR.",
        "de": "Muss ein Währungscode nach ISO 4217 sein, wie EUR.",
        "fr": "Doit être un code de devise ISO 4217 comme EUR.",
    },
    "not_a_user": {
        "en": "Must be a person of your organisation.",
        "de": "Muss eine Person aus Ihrer Organisation sein.",
        "fr": "Doit être une personne de votre organisation.",
    },
    "unknown_user": {
        "en": "There is no such person in your organisation.",
        "de": "Diese Person gibt es in Ihrer Organisation nicht.",
        "fr": "Cette personne n'existe pas dans votre organisation.",
    },
    "not_a_group": {
        "en": "Must be a group of your organisation.",
        "de": "Muss eine Gruppe Ihrer Organisation sein.",
        "fr": "Doit être un groupe de votre organisation.",
    },
    "unknown_group": {
        "en": "There is no such group in your organisation.",
        "de": "Diese Gruppe gibt es in Ihrer Organisation nicht.",
        "fr": "Ce groupe n'existe pas dans votre organisation.",
    },
    "not_a_file": {
        "en": "Must be a file that was attached to the task.",
        "de": "Muss eine Datei sein, die an die Aufgabe angehängt wurde.",
        "fr": "Doit être un fichier joint à la tâche.",
    },
    "unknown_file": {
        "en": "The task has no such file.",
        "de": "Die Aufgabe hat keine solche Datei.",
        "fr": "La tâche n'a pas ce fichier.",
    },
    "file_too_large": {
        "en": "A file has at most {limit} bytes.",
        "de": "Eine Datei hat höchstens {limit} Bytes.",
        "fr": "Un fichier a au plus {limit} octets.",
    },
    "file_not_accepted": {
        "en": "A file must be one of: {limit}.",
        "de": "Eine Datei muss eine von diesen sein: {limit}.",
        "fr": "Un fichier doit être l'un de : {limit}.",
    },
    "end_before_start": {
        "en": "The end must not be before the start.",
        "de": "Das Ende darf nicht vor dem Anfang liegen.",
        "fr": "La fin ne doit pas précéder le début.",
    },
    "read_only": {
        "en": "This field cannot be changed.",
        "de": "Dieses Feld kann nicht geändert werden.",
        "fr": "Ce champ ne peut pas être modifié.",
    },
    "outcome_required": {
        "en": "Choose one of: {limit}.",
        "de": "Wählen Sie eines davon: {limit}.",
        "fr": "Choisissez l'un de ces résultats : {limit}.",
    },
    "unknown_outcome": {
        "en": "The form has no such outcome.",
        "de": "Das Formular hat kein solches Ergebnis.",
        "fr": "Le formulaire n'a pas ce résultat.",
    },
    "rule_broken": {
        "en": "The values do not fit together.",
        "de": "Die Werte passen nicht zusammen.",
        "fr": "Les valeurs ne vont pas ensemble.",
    },
    "not_text": {
        "en": "Holds characters that are not text (NUL or half a surrogate pair).",
        "de": "Enthält Zeichen, die kein Text sind (NUL oder ein halbes Surrogatpaar).",
        "fr": "Contient des caractères qui ne sont pas du texte (NUL ou demi-paire de substitution).",
    },
    "not_json": {
        "en": "Is not a JSON value.",
        "de": "Ist kein JSON-Wert.",
        "fr": "N'est pas une valeur JSON.",
    },
    "too_deep": {
        "en": "Is nested deeper than {limit} levels.",
        "de": "Ist tiefer als {limit} Ebenen verschachtelt.",
        "fr": "Est imbriqué sur plus de {limit} niveaux.",
    },
    "too_complex": {
        "en": "Takes too many steps to check.",
        "de": "Braucht zu viele Schritte zur Prüfung.",
        "fr": "Demande trop d'étapes de vérification.",
    },
    "does_not_fit": {
        "en": "Does not fit the schema ({limit}).",
        "de": "Passt nicht zum Schema ({limit}).",
        "fr": "Ne correspond pas au schéma ({limit}).",
    },
}

TYPES: dict[str, dict[str, str]] = {
    "string": {"en": "a text", "de": "ein Text", "fr": "un texte"},
    "integer": {"en": "a whole number", "de": "eine ganze Zahl", "fr": "un nombre entier"},
    "number": {"en": "a number", "de": "eine Zahl", "fr": "un nombre"},
    "boolean": {
        "en": "yes or no (true or false)",
        "de": "ja oder nein (true oder false)",
        "fr": "oui ou non (true ou false)",
    },
    "array": {"en": "a list", "de": "eine Liste", "fr": "une liste"},
    "object": {"en": "an object with fields", "de": "ein Objekt mit Feldern", "fr": "un objet avec des champs"},
    "null": {"en": "nothing (null)", "de": "nichts (null)", "fr": "vide (null)"},
}
"""What JSON Schema's types are called."""


def text(code: str, locale: str, limit: Any = "") -> str:
    """Returns the sentence for `code` in the language of `locale` (`de` for `de-AT`), else in English."""
    language = locale.replace("_", "-").split("-")[0].lower()
    texts = TEXTS[code]
    sentence = texts.get(language, texts["en"])
    if code == "wrong_type":
        limit = ", ".join(_type(each.strip(), language) for each in str(limit).split(","))
    return sentence.replace("{limit}", str(limit))


def _type(name: str, language: str) -> str:
    words = TYPES.get(name, {})
    return words.get(language, words.get("en", name))
