"""The process's settings: environment variables `HUB_…`, groups nested by `__`.

`HubSettings` is the only reader of the environment. What an admin sets per tenant or per
connector is not here.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.errors import StartRefused


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Group):
    """Where the hub keeps everything."""

    url: str = Field(
        default="",
        description="SQLAlchemy URL. Empty: a SQLite file in the data folder. "
        "postgresql+asyncpg://… for several processes; with ?pooler=true where it leads to a "
        "pooler (PgBouncer), or ?direct=HOST:PORT with the way past the pooler.",
    )
    pool_size: int = Field(default=10, ge=2, le=200, description="Connections a process keeps.")


class HttpSettings(_Group):
    """What the API process listens to and accepts."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8400, ge=0, le=65535, description="Port to listen on; 0 = a free one."
    )
    public_url: str = Field(
        default="", description="How vendors reach the hub. Empty: http://host:port."
    )
    max_body_bytes: int = Field(
        default=5 * 1024 * 1024, ge=1024, description="Largest request body accepted."
    )
    require_https: bool = Field(
        default=False, description="Refuse requests that did not come over HTTPS."
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses whose X-Forwarded-* headers are believed, comma-separated.",
    )
    allow_private_targets: bool = Field(
        default=True,
        description="Allow connectors to call private and loopback addresses. "
        "Turn off where tenants are strangers to each other.",
    )
    routes: dict[str, str] = Field(
        default_factory=dict,
        description="Vendors' hosts that connectors reach at another base URL, as JSON: "
        '{"api.example.com": "http://127.0.0.1:9001"}. For sandboxes and tests.',
    )


class DispatchSettings(_Group):
    """How accepted events are worked."""

    driver: Literal["auto", "embedded", "postgres"] = Field(
        default="auto", description="auto: by the database's URL."
    )
    works: bool = Field(
        default=True,
        description="Work events in `hub serve`, too. false: it only accepts, and `hub worker` "
        "processes work (needs PostgreSQL).",
    )
    shards: int = Field(default=16, ge=1, le=1024, description="Buckets of lanes.")
    shards_per_worker: int = Field(
        default=0, ge=0, description="Shards worked at once by a process; 0 = all."
    )
    lanes: int = Field(default=64, ge=1, le=1024, description="Events in work at once per process.")
    batch: int = Field(default=256, ge=1, le=4096, description="Events read at once.")
    lane_turn: int = Field(default=32, ge=1, description="Events a lane may do before others.")
    linger_ms: int = Field(default=50, ge=0, description="Wait before a shard is given up.")
    slice_s: float = Field(default=5, gt=0, description="A shard is handed over after this long.")
    heartbeat_s: float = Field(default=30, gt=0, description="A silent process is dead after this.")
    http_timeout_s: float = Field(
        default=20, gt=0, description="Total time of one vendor request; below heartbeat_s."
    )
    sweep_s: float = Field(default=5, gt=0, description="How often forgotten work is looked for.")
    commit_max: int = Field(default=256, ge=1, description="Callers that share one transaction.")
    max_pending: int = Field(
        default=0, ge=0, description="Backlog above which 503 is answered; 0 = by the driver."
    )
    retry_attempts: int = Field(default=12, ge=1, description="Attempts before a dead letter.")
    retry_hours: float = Field(default=24, gt=0, description="Age at which a run is given up.")
    retry_cap_s: float = Field(default=600, gt=0, description="Longest wait between attempts.")
    echo_window_s: float = Field(
        default=600, gt=0, description="How long after a write its echo may have occurred."
    )
    breaker_firings: int = Field(
        default=10, ge=1, description="Firings of one rule on one record within 5 minutes."
    )

    @model_validator(mode="after")
    def _times_fit(self) -> "DispatchSettings":
        if self.http_timeout_s >= self.heartbeat_s:
            raise ValueError(
                f"http_timeout_s ({self.http_timeout_s}) must be below "
                f"heartbeat_s ({self.heartbeat_s})"
            )
        return self


class SecretsSettings(_Group):
    """How secrets are kept."""

    key: SecretStr | None = Field(
        default=None,
        description="Master key, 32 bytes in base64. Unset: a key file in the data folder.",
    )
    previous_key: SecretStr | None = Field(
        default=None, description="The master key before this one, while keys are rotated."
    )
    variables: str = Field(
        default="*",
        description="Environment variables that a connector's secret may refer to (env:NAME), "
        "as comma-separated patterns. Never HUB_* except HUB_SECRET_*. "
        "Narrow it where tenants are strangers to each other.",
    )
    folder: Path | None = Field(
        default=None,
        description="The only folder whose files a connector's secret may refer to (file:PATH). "
        "Unset: any file outside the data folder.",
    )


class PluginsSettings(_Group):
    """Which plugins are loaded."""

    blocked: frozenset[str] = Field(
        default=frozenset(), description="Names of plugins that are not loaded."
    )


class RulesSettings(_Group):
    """How much of rules a tenant and a process may have."""

    max_in_tenant: int = Field(
        default=100_000,
        ge=1,
        description="Published rules of a tenant; publishing more is refused.",
    )
    memory_mib: int = Field(
        default=512,
        ge=16,
        description="Memory of a process's compiled rules; tenants not asked for longest go first.",
    )


class LoggingSettings(_Group):
    """What the process writes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal, else JSON."
    )
    traces: bool = Field(
        default=False,
        description="Send OpenTelemetry spans; needs the extra `otel`. Where to is said by "
        "OTEL_EXPORTER_OTLP_ENDPOINT.",
    )


class HubSettings(BaseSettings):
    """All settings of a hub process."""

    model_config = SettingsConfigDict(
        env_prefix="HUB_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Field(
        default=Path(".data"), description="Folder for the database, keys, tokens and locks."
    )
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    dispatch: DispatchSettings = DispatchSettings()
    secrets: SecretsSettings = SecretsSettings()
    plugins: PluginsSettings = PluginsSettings()
    rules: RulesSettings = RulesSettings()
    logging: LoggingSettings = LoggingSettings()

    @property
    def database_url(self) -> str:
        """The database's URL, with the default filled in."""
        if self.database.url:
            return self.database.url
        return f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'hub.db'}"

    @property
    def embedded(self) -> bool:
        """Whether one process does everything."""
        if self.dispatch.driver != "auto":
            return self.dispatch.driver == "embedded"
        return self.database_url.startswith("sqlite")

    @property
    def public_url(self) -> str:
        """How vendors reach the hub, without a slash at the end."""
        return (self.http.public_url or f"http://{self.http.host}:{self.http.port}").rstrip("/")

    def prepare_data_dir(self) -> Path:
        """Make the data folder; StartRefused when it can't be written."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.data_dir):
                pass
        except OSError as error:
            raise StartRefused(
                f"The data folder {self.data_dir} can't be written ({error.strerror}). "
                "Name another one with HUB_DATA_DIR or --data."
            ) from error
        return self.data_dir


def load_settings(**overrides: object) -> HubSettings:
    """Read the settings; StartRefused names each wrong variable.

    `overrides` are top-level members (`data_dir=…, http={…}`) that go before the environment.
    """
    try:
        return HubSettings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        faults = "; ".join(
            f"{_variable(*fault['loc'])}: {_said(fault['loc'], fault)}" for fault in error.errors()
        )
        raise StartRefused(f"The settings can't be used. {faults}") from error


def _variable(*path: object) -> str:
    return f"HUB_{'__'.join(str(part) for part in path).upper()}"


def _said(path: tuple[object, ...], fault: Mapping[str, Any]) -> str:
    """Tell what is wrong with a variable: one that is not known is answered with the nearest."""
    if fault["type"] != "extra_forbidden":
        return str(fault["msg"])
    near = get_close_matches(_variable(*path), list(_variables(HubSettings)), 1, 0.8)
    return (
        f"There is no such setting. Did you mean {near[0]}?"
        if near
        else ("There is no such setting; docs/reference/settings.md lists them all.")
    )


def _variables(model: type[BaseModel], *path: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _variables(kind, *path, name)
        else:
            yield _variable(*path, name)


def local_token(data_dir: Path) -> str | None:
    """Return the operator token that a local `hub serve` left in its data folder."""
    file = data_dir / "operator.token"
    return file.read_text().strip() if file.is_file() else None


def environment_variable(name: str) -> str | None:
    """Return one variable of the environment: what a secret `env:NAME` refers to."""
    return os.environ.get(name)


def client_environment() -> dict[str, str]:
    """Return what the command line reads of the environment: tenant, URL, token, data folder."""
    names = ("HUB_TENANT", "HUB_URL", "HUB_TOKEN", "HUB_DATA_DIR", "NO_COLOR")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def bare_environment() -> dict[str, str]:
    """Return the environment without hub settings and proxies, for a hub that speaks to itself."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HUB_") and not name.lower().endswith("_proxy")
    }
