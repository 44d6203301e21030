"""The model profile of a version as a form."""

from __future__ import annotations

import json
import os
from typing import Any

from django import forms
from pydantic import ValidationError as PydanticError

from integrations.llm.profiles import Profile
from integrations.llm.servers import Server, model_servers
from workflows.storable import storable_json

OWN = ("max_tokens", "temperature")  # parameters with a field of their own
HERE = "The model of this installation"


class ProfileForm(forms.Form):
    """What the form does not show (back-off, an Azure version, headers) stays as it was."""

    prefix = "profile"

    server = forms.ChoiceField(label="Server", required=False)
    model = forms.CharField(
        label="Model",
        required=False,
        max_length=200,
        help_text="Empty: the one that the server of this installation uses.",
    )
    read_seconds = forms.FloatField(label="Longest silence, in seconds", min_value=1, max_value=3600)
    total_seconds = forms.FloatField(label="Longest request, in seconds", min_value=1, max_value=3600)
    max_tries = forms.IntegerField(label="Tries when the server fails in passing", min_value=1, max_value=10)
    max_tokens = forms.IntegerField(
        label="Longest answer, in tokens",
        min_value=64,
        max_value=200_000,
        required=False,
        help_text="Empty: 2,048.",
    )
    temperature = forms.FloatField(
        label="Temperature", min_value=0, max_value=2, required=False, help_text="Empty: 0, the steadiest."
    )
    otherwise = forms.ChoiceField(label="If it fails, ask", required=False)
    otherwise_model = forms.CharField(label="with the model", required=False, max_length=200)
    others = forms.CharField(
        label="Further parameters of the server, as JSON",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None, *, profile: Profile) -> None:
        self.before = profile
        second = profile.fallbacks[0] if profile.fallbacks else None
        others = {name: value for name, value in profile.parameters.items() if name not in OWN}
        super().__init__(
            data,
            initial={
                "server": profile.base_url, "model": profile.model, "read_seconds": profile.read_seconds,
                "total_seconds": profile.total_seconds, "max_tries": profile.max_tries,
                **{name: profile.parameters.get(name) for name in OWN},
                "otherwise": (second.base_url or "here") if second else "", "otherwise_model": second.model if second else "",
                "others": json.dumps(others, indent=2) if others else "",
            },
        )  # fmt: skip
        self.servers = {one.base_url: one for one in model_servers(os.environ)}
        # A server that stands in this version already was put there by whoever runs the installation.
        known: tuple[Profile, ...] = (profile, *profile.fallbacks)
        for one in known:
            if one.base_url:
                self.servers.setdefault(one.base_url, Server(one.base_url, one.api_key_env))
        choices = [(address, address) for address in self.servers]
        server: Any = self.fields["server"]
        otherwise: Any = self.fields["otherwise"]
        server.choices = [("", HERE), *choices]
        otherwise.choices = [("", "Nobody else"), ("here", HERE), *choices]

    def clean_others(self) -> dict[str, Any]:
        text = self.cleaned_data["others"].strip()
        if not text:
            return {}
        try:
            read = json.loads(text)
            json.dumps(read, allow_nan=False)
        except (ValueError, RecursionError):
            raise forms.ValidationError('Write it as JSON, like {"top_p": 0.9}.') from None
        if storable_json(read) != read:
            raise forms.ValidationError("It holds a character that cannot be stored. Remove it.")
        if not isinstance(read, dict):
            raise forms.ValidationError('Write one object, like {"top_p": 0.9}.')
        return read

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                cleaned["profile"] = self._profile(cleaned)
            except PydanticError as error:
                for each in error.errors(include_url=False):
                    place = "others" if each["loc"][:1] == ("parameters",) else None
                    self.add_error(place, str(each.get("ctx", {}).get("error") or each["msg"]))
        return cleaned

    def _profile(self, cleaned: dict[str, Any]) -> Profile:
        own = {name: cleaned[name] for name in OWN if cleaned.get(name) is not None}
        # None there takes a parameter away; a field left empty keeps it so.
        own |= {name: None for name in OWN if name not in own and self.before.parameters.get(name, 0) is None}
        told = self.before.model_dump(mode="json", exclude_defaults=True)
        told |= {
            "model": cleaned["model"].strip(), "read_seconds": cleaned["read_seconds"],
            "total_seconds": cleaned["total_seconds"], "max_tries": cleaned["max_tries"],
            "parameters": {**own, **cleaned["others"]}, **self._address(cleaned["server"]),
        }  # fmt: skip
        fallbacks = list(told.get("fallbacks", ()))
        if not cleaned["otherwise"]:
            fallbacks = []
        else:
            address = "" if cleaned["otherwise"] == "here" else cleaned["otherwise"]
            second = fallbacks[0] if fallbacks else {"name": "otherwise"}
            fallbacks[:1] = [
                {**second, "model": cleaned["otherwise_model"].strip(), **self._address(address)}
            ]
        return Profile.model_validate({**told, "fallbacks": fallbacks})

    def _address(self, address: str) -> dict[str, str]:
        """The address and the variable of its key, never one without the other."""
        if not address:
            return {"base_url": "", "api_key_env": ""}
        chosen = self.servers[address]
        return {"base_url": chosen.base_url, "api_key_env": chosen.api_key_env}
