import pytest
from pydantic import ValidationError

from integrations.llm.embedded.profile import embedded_profile
from integrations.llm.profiles import (
    OPENAI_URL,
    Profile,
    chain_of,
    deployment_profile,
    parameters_of,
    resolve_profile,
)


def test_without_address_and_key_there_is_no_deployment_model() -> None:
    assert deployment_profile({}) is None
    assert deployment_profile({"OPENAI_BASE_URL": " ", "OPENAI_MODEL": "large"}) is None


def test_a_key_alone_means_openai() -> None:
    profile = deployment_profile({"OPENAI_API_KEY": "sk-1", "OPENAI_MODEL": "large"})
    assert profile is not None
    assert (profile.base_url, profile.api_key_env, profile.model) == (OPENAI_URL, "OPENAI_API_KEY", "large")
    assert "sk-1" not in profile.model_dump_json()


def test_a_server_of_ones_own_needs_no_key() -> None:
    profile = deployment_profile({"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/"})
    assert profile is not None
    assert (profile.base_url, profile.api_key_env) == ("http://127.0.0.1:8080/v1", "")


def test_parameters_change_remove_and_add_to_the_defaults() -> None:
    assert parameters_of(Profile()) == {"temperature": 0, "max_tokens": 2048}
    assert parameters_of(Profile(parameters={"temperature": None, "seed": 1})) == {
        "max_tokens": 2048,
        "seed": 1,
    }
    newer = parameters_of(Profile(parameters={"max_completion_tokens": 10}))
    assert newer == {"temperature": 0, "max_completion_tokens": 10}


@pytest.mark.parametrize(
    "given",
    [
        {"parameters": {"messages": []}},
        {"parameters": {"extra_body": {"model": "other"}}},
        {"parameters": {"extra_headers": {"Authorization": "Bearer x"}}},
        {"base_url": "https://user:secret@host/v1"},
        {"base_url": "ftp://host"},
        {"api_key": "sk-1"},
        {"max_tries": 0},
        {"read_seconds": 0},
        {"total_seconds": float("inf")},
    ],
)
def test_a_profile_that_would_hold_a_secret_or_break_the_bounds_is_refused(
    given: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(given)


def test_a_blank_profile_takes_the_deployments_server_and_times() -> None:
    deployment = embedded_profile(port=1234, model_name="small")
    profile = Profile(name="mine", parameters={"seed": 3}, max_tries=5)

    resolved = resolve_profile(profile=profile, deployment=deployment)

    assert resolved.base_url == "http://127.0.0.1:1234/v1"
    assert (resolved.name, resolved.model, resolved.max_tries) == ("mine", "small", 5)
    assert resolved.read_seconds == deployment.read_seconds
    assert resolved.parameters == {**deployment.parameters, "seed": 3}


def test_a_profile_with_a_server_of_its_own_keeps_it_and_its_blank_fallback_is_resolved() -> None:
    deployment = embedded_profile(port=1234, model_name="small")
    profile = Profile(
        name="first", base_url="http://a.example/v1", model="a", fallbacks=(Profile(name="second"),)
    )

    chain = chain_of(resolve_profile(profile=profile, deployment=deployment))

    assert [(step.name, step.model) for step in chain] == [("first", "a"), ("second", "small")]


def test_a_profile_survives_being_stored() -> None:
    profile = Profile(name="a", base_url="http://a.example/v1", fallbacks=(Profile(name="b"),))
    assert Profile.model_validate_json(profile.model_dump_json()) == profile
