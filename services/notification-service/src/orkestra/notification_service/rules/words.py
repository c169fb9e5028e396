# ruff: noqa: RUF001  French has apostrophes of its own
"""What messages and feeds say, in English, German and French."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

GERMAN_AND_FRENCH: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "You were mentioned in a comment.": (
            "Sie wurden in einem Kommentar erwähnt.",
            "Vous avez été mentionné dans un commentaire.",
        ),
        "A task was assigned to you.": ("Ihnen wurde eine Aufgabe zugewiesen.", "Une tâche vous a été attribuée."),
        "A task is offered to you.": ("Ihnen wird eine Aufgabe angeboten.", "Une tâche vous est proposée."),
        "A group of yours has a new task.": (
            "Eine Ihrer Gruppen hat eine neue Aufgabe.",
            "Un de vos groupes a une nouvelle tâche.",
        ),
        "A group of yours has a task to take again.": (
            "Eine Ihrer Gruppen hat wieder eine Aufgabe zu übernehmen.",
            "Un de vos groupes a de nouveau une tâche à prendre.",
        ),
        "A task was escalated to you.": ("Eine Aufgabe wurde an Sie eskaliert.", "Une tâche vous a été escaladée."),
        "A task was assigned to somebody whose place you take.": (
            "Jemandem, den Sie vertreten, wurde eine Aufgabe zugewiesen.",
            "Une tâche a été attribuée à une personne que vous remplacez.",
        ),
        "A task is offered to somebody whose place you take.": (
            "Jemandem, den Sie vertreten, wird eine Aufgabe angeboten.",
            "Une tâche est proposée à une personne que vous remplacez.",
        ),
        "A task was escalated to somebody whose place you take.": (
            "Eine Aufgabe wurde an jemanden eskaliert, den Sie vertreten.",
            "Une tâche a été escaladée à une personne que vous remplacez.",
        ),
        "A task of somebody whose place you take has become more urgent.": (
            "Eine Aufgabe von jemandem, den Sie vertreten, ist dringender geworden.",
            "Une tâche d’une personne que vous remplacez est devenue plus urgente.",
        ),
        "A task of somebody whose place you take waits to be done.": (
            "Eine Aufgabe von jemandem, den Sie vertreten, wartet darauf, erledigt zu werden.",
            "Une tâche d’une personne que vous remplacez attend d’être faite.",
        ),
        "A task of somebody whose place you take is past its due time.": (
            "Eine Aufgabe von jemandem, den Sie vertreten, ist überfällig.",
            "Une tâche d’une personne que vous remplacez est en retard.",
        ),
        "What somebody whose place you take wanted changed was answered.": (
            "Auf den Änderungswunsch von jemandem, den Sie vertreten, wurde geantwortet.",
            "La demande de modification d’une personne que vous remplacez a reçu une réponse.",
        ),
        "A task was escalated to a group of yours.": (
            "Eine Aufgabe wurde an eine Ihrer Gruppen eskaliert.",
            "Une tâche a été escaladée à un de vos groupes.",
        ),
        "A task of yours has become more urgent.": (
            "Eine Ihrer Aufgaben ist dringender geworden.",
            "Une de vos tâches est devenue plus urgente.",
        ),
        "You are told of a task that is taking long.": (
            "Eine Aufgabe dauert lange; Sie sollen davon wissen.",
            "Une tâche prend du temps ; vous en êtes informé.",
        ),
        "A task of yours waits to be done.": (
            "Eine Ihrer Aufgaben wartet darauf, erledigt zu werden.",
            "Une de vos tâches attend d’être faite.",
        ),
        "A task of yours is past its due time.": (
            "Eine Ihrer Aufgaben ist überfällig.",
            "Une de vos tâches est en retard.",
        ),
        "Changes are wanted before what you asked is decided.": (
            "Bevor über Ihre Anfrage entschieden wird, sind Änderungen gewünscht.",
            "Des modifications sont demandées avant de décider de votre demande.",
        ),
        "What you wanted changed was answered.": (
            "Auf Ihren Änderungswunsch wurde geantwortet.",
            "Votre demande de modification a reçu une réponse.",
        ),
        "What you asked for has been answered.": (
            "Was Sie gefragt haben, wurde beantwortet.",
            "Votre demande a reçu une réponse.",
        ),
        "What you asked for was cancelled without an answer.": (
            "Ihre Anfrage wurde ohne Antwort abgebrochen.",
            "Votre demande a été annulée sans réponse.",
        ),
        "Time ran out for what you asked: nobody has answered.": (
            "Die Zeit für Ihre Anfrage ist abgelaufen: niemand hat geantwortet.",
            "Le délai de votre demande a expiré : personne n’a répondu.",
        ),
        "A workflow that you started has completed.": (
            "Ein Ablauf, den Sie gestartet haben, ist abgeschlossen.",
            "Un processus que vous avez démarré est terminé.",
        ),
        "A workflow that you started has failed.": (
            "Ein Ablauf, den Sie gestartet haben, ist fehlgeschlagen.",
            "Un processus que vous avez démarré a échoué.",
        ),
        "A workflow that you started was ended.": (
            "Ein Ablauf, den Sie gestartet haben, wurde beendet.",
            "Un processus que vous avez démarré a été arrêté.",
        ),
        "{group} has a new task.": ("{group} hat eine neue Aufgabe.", "{group} a une nouvelle tâche."),
        "A task was escalated to {group}.": (
            "Eine Aufgabe wurde an {group} eskaliert.",
            "Une tâche a été escaladée à {group}.",
        ),
        "A task of {group} waits to be done.": (
            "Eine Aufgabe von {group} wartet darauf, erledigt zu werden.",
            "Une tâche de {group} attend d’être faite.",
        ),
        "A task of {group} is past its due time.": (
            "Eine Aufgabe von {group} ist überfällig.",
            "Une tâche de {group} est en retard.",
        ),
        "Hello {name},": ("Guten Tag {name},", "Bonjour {name},"),
        "{count} things are new": ("{count} Neuigkeiten", "{count} nouveautés"),
        "Open the task": ("Aufgabe öffnen", "Ouvrir la tâche"),
        "Decide": ("Entscheiden", "Décider"),
        "Open the workflow": ("Ablauf öffnen", "Ouvrir le processus"),
        "Urgent": ("Dringend", "Urgent"),
        "High priority": ("Hohe Priorität", "Priorité haute"),
        "Opening a link decides nothing: you confirm on the page that it opens.": (
            "Das Öffnen eines Links entscheidet nichts: Sie bestätigen auf der Seite, die er öffnet.",
            "Ouvrir un lien ne décide rien : vous confirmez sur la page qu’il ouvre.",
        ),
        "Choose what you are told": ("Auswählen, was Ihnen mitgeteilt wird", "Choisir ce qui vous est signalé"),
        "You are invited to Orkestra": ("Sie sind zu Orkestra eingeladen", "Vous êtes invité à utiliser Orkestra"),
        "Set a new password for Orkestra": (
            "Ein neues Passwort für Orkestra setzen",
            "Définir un nouveau mot de passe pour Orkestra",
        ),
        "Set your password with this link to sign in.": (
            "Setzen Sie mit diesem Link Ihr Passwort, um sich anzumelden.",
            "Définissez votre mot de passe avec ce lien pour vous connecter.",
        ),
        "A new password was asked for. If that was not you, do nothing: your password stays.": (
            "Ein neues Passwort wurde angefordert. Waren Sie das nicht, tun Sie nichts: Ihr Passwort bleibt.",
            "Un nouveau mot de passe a été demandé. Si ce n’était pas vous, ne faites rien : le vôtre reste.",
        ),
        "Set the password": ("Passwort setzen", "Définir le mot de passe"),
        "The link works once, until {time}.": (
            "Der Link gilt einmal, bis {time}.",
            "Le lien fonctionne une fois, jusqu’au {time}.",
        ),
    }
)
_COLUMNS: Final = {"de": 0, "fr": 1}


def say(text: str, language: str, **values: object) -> str:
    """Return a sentence in a language; one that has no translation stays as it is, as names do."""
    column = _COLUMNS.get(language)
    known = GERMAN_AND_FRENCH.get(text)
    said = text if column is None or known is None else known[column]
    return said.format(**values) if values else said
