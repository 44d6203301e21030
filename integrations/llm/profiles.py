"""Model profiles: which server, which model, how to ask it, how long to wait. Plain data, safe to store: a profile
names the environment variable of its key and never holds the key."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PositiveInt, field_validator

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4.1-mini"

# What is sent unless a profile says otherwise; `None` in a profile's parameters takes one away.
DEFAULT_PARAMETERS: Mapping[str, JsonValue] = {"temperature": 0, "max_tokens": 2048}

# These belong to the door: a profile that could set them could change what is asked or how it is bounded.
RESERVED_PARAMETERS = frozenset(
    {"messages", "model", "response_format", "stream", "n", "timeout", "logprobs"}
)
SECRET_HEADERS = frozenset({"authorization", "api-key", "x-api-key", "cookie", "proxy-authorization"})

# Nothing waits for ever, whatever a profile says.
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Profile(BaseModel):
    """Times are seconds of one HTTP request, except where they say otherwise.

    `read_seconds` is the longest silence; answers are not streamed, so it includes the whole generation.
    `total_seconds` ends a request however lively it drips. `max_tries` counts requests that failed in passing (rate
    limits, broken connections; of time-outs two at most); one repair of an answer that does not fit comes on top.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "default"
    base_url: str = ""
    api_key_env: str = ""
    model: str = ""
    azure_api_version: str = ""
    response_format: Literal["json_schema", "json_object"] = "json_schema"
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    logprobs: bool = True
    connect_seconds: Seconds = 5.0
    read_seconds: Seconds = 120.0
    total_seconds: Seconds = 180.0
    max_tries: Annotated[int, Field(ge=1, le=10)] = 3
    backoff_seconds: Seconds = 1.0
    longest_wait_seconds: Seconds = 30.0
    max_in_flight: PositiveInt | None = None
    fallbacks: tuple[Self, ...] = ()

    @field_validator("parameters")
    @classmethod
    def _only_settable(cls, parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if reserved := RESERVED_PARAMETERS & parameters.keys():
            raise ValueError(f"{', '.join(sorted(reserved))}: set by the system, not by parameters")
        extra_body = parameters.get("extra_body")
        if isinstance(extra_body, dict) and (reserved := RESERVED_PARAMETERS & extra_body.keys()):
            raise ValueError(f"{', '.join(sorted(reserved))}: set by the system, not by extra_body")
        headers = parameters.get("extra_headers")
        if isinstance(headers, dict) and any(header.lower() in SECRET_HEADERS for header in headers):
            raise ValueError(
                "a secret in extra_headers would be stored; name its variable in api_key_env instead"
            )
        return parameters

    @field_validator("base_url")
    @classmethod
    def _address(cls, base_url: str) -> str:
        if base_url and not base_url.startswith(("http://", "https://")):
            raise ValueError("the base URL begins with http:// or https://")
        if "@" in base_url.split("//", 1)[-1].split("/", 1)[0]:
            raise ValueError("a base URL holds no user or password; name the key's variable in api_key_env")
        return base_url.rstrip("/")


def parameters_of(profile: Profile) -> dict[str, Any]:
    """What is passed to the server beside messages, model and format: the defaults, changed by the profile's own."""
    merged = {**DEFAULT_PARAMETERS, **profile.parameters}
    if profile.parameters.get("max_completion_tokens") is not None and "max_tokens" not in profile.parameters:
        # The newer name of the same limit; servers refuse both at once.
        del merged["max_tokens"]
    return {key: value for key, value in merged.items() if value is not None}


def deployment_profile(environ: Mapping[str, str]) -> Profile | None:
    """The model this deployment names in its environment; None when it names none and the embedded one is used."""
    base_url = environ.get("OPENAI_BASE_URL", "").strip()
    has_key = bool(environ.get("OPENAI_API_KEY", "").strip())
    if not base_url and not has_key:
        return None
    return Profile(
        name="deployment",
        base_url=base_url or OPENAI_URL,
        api_key_env="OPENAI_API_KEY" if has_key else "",
        model=environ.get("OPENAI_MODEL", "").strip() or DEFAULT_MODEL,
        azure_api_version=environ.get("OPENAI_API_VERSION", "").strip() if base_url else "",
    )


def resolve_profile(*, profile: Profile, deployment: Profile) -> Profile:
    """A profile with a blank base URL, and every such fallback of it, asks the deployment's model: it takes over the
    deployment's server and key, and whatever the profile itself leaves at its default."""
    fallbacks = tuple(
        resolve_profile(profile=fallback, deployment=deployment) for fallback in profile.fallbacks
    )
    if profile.base_url:
        return profile.model_copy(update={"fallbacks": fallbacks})
    blank = Profile()
    own = {
        field: value
        for field in Profile.model_fields
        if (value := getattr(profile, field)) != getattr(blank, field) and field != "api_key_env"
    }
    own |= {
        "name": profile.name,
        "parameters": {**deployment.parameters, **profile.parameters},
        "fallbacks": fallbacks or deployment.fallbacks,
    }
    return deployment.model_copy(update=own)


def chain_of(profile: Profile) -> tuple[Profile, ...]:
    """The profile and its fallbacks, in the order they are tried."""
    return (profile, *(step for fallback in profile.fallbacks for step in chain_of(fallback)))
