"""Words that the parts of a site file share: names, public keys, texts, and that nothing unknown is let in."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway_ctl.seal import load_public


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", text):
        raise ValueError("expected letters, digits, - and _ only (at most 32): it is a level of the bus' topics")
    return text


def _public(text: str) -> str:
    try:
        load_public(text)
    except ValueError:
        raise ValueError("expected the base64 of a public key: 32 bytes, 44 characters") from None
    return text


Name = Annotated[str, AfterValidator(_name)]
PublicKey = Annotated[str, AfterValidator(_public)]
Words = Annotated[str, Field(min_length=1, max_length=40)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class Closed(BaseModel):
    """No key that is not known, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
