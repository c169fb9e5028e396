"""Settings that do not fit stop the start, each with a sentence."""

from pathlib import Path

import pytest
from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, ServiceSettings, SettingsError, load, redacted


class Settings(DatabaseSettings, GrpcSettings, ServiceSettings):
    """What the tests' process can be told."""


GOOD = {
    "ORKESTRA_DATABASE_URL": "postgresql://app:hunter2@db/orkestra",
    "ORKESTRA_RELAY_DATABASE_URL": "postgresql://relay:hunter2@db/orkestra",
    "ORKESTRA_SWEEP_DATABASE_URL": "postgresql://sweep:hunter2@db/orkestra",
    "ORKESTRA_GRPC_PORT": "9002",
    "ORKESTRA_HEALTH_PORT": "9102",
    "PATH": "/bin",
}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        load(Settings, environ)
    return str(refused.value)


def test_settings_are_read_from_variables_with_the_prefix() -> None:
    settings = load(Settings, GOOD | {"ORKESTRA_LOG_LEVEL": "debug", "ORKESTRA_TEST_INFRA": "containers"})
    assert (settings.grpc_port, settings.log_level, settings.pool_size) == (9002, "debug", 10)
    assert settings.database_url.get_secret_value() == GOOD["ORKESTRA_DATABASE_URL"]


def test_an_unknown_setting_is_refused_by_name_with_the_nearest_known_one() -> None:
    said = refusal(GOOD | {"ORKESTRA_GRPC_PROT": "1"})
    assert said == "ORKESTRA_GRPC_PROT is not a setting of this process; did you mean ORKESTRA_GRPC_PORT?"


def test_a_missing_setting_is_named_with_what_it_is_for() -> None:
    said = refusal({name: text for name, text in GOOD.items() if name != "ORKESTRA_DATABASE_URL"})
    assert said == "ORKESTRA_DATABASE_URL is missing: PostgreSQL address with the role <schema>_app."


@pytest.mark.parametrize(
    ("variable", "text"),
    [("ORKESTRA_GRPC_PORT", "many"), ("ORKESTRA_GRPC_PORT", "70000"), ("ORKESTRA_LOG_LEVEL", "loud")],
)
def test_a_bad_value_is_refused_by_name(variable: str, text: str) -> None:
    assert refusal(GOOD | {variable: text}).startswith(f"{variable} is not accepted: Input should be")


def test_every_fault_is_told_at_once_and_no_secret_is() -> None:
    said = refusal(GOOD | {"ORKESTRA_GRPC_PORT": "hunter2", "ORKESTRA_NOISE": "hunter2", "ORKESTRA_POOL_SIZE": "0"})
    assert len(said.splitlines()) == 3
    assert "hunter2" not in said


def test_a_secret_may_come_from_a_file_and_not_from_both(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://db/from-file\n")
    from_file = {**GOOD, "ORKESTRA_DATABASE_URL_FILE": str(file)}
    assert "both set" in refusal(from_file)
    del from_file["ORKESTRA_DATABASE_URL"]
    assert load(Settings, from_file).database_url.get_secret_value() == "postgresql://db/from-file"
    assert "cannot be read" in refusal(from_file | {"ORKESTRA_DATABASE_URL_FILE": str(tmp_path / "absent")})


def test_what_is_not_secret_has_no_file_variant() -> None:
    assert "ORKESTRA_GRPC_PORT_FILE is not a setting" in refusal(GOOD | {"ORKESTRA_GRPC_PORT_FILE": "/x"})


def test_settings_are_frozen_and_are_shown_without_secrets() -> None:
    settings = load(Settings, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        settings.grpc_port = 1  # type: ignore[misc] # this is what must fail
    assert "hunter2" not in str(redacted(settings)) + repr(settings)
