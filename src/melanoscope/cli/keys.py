"""melanoscope keygen: a pair of keys for signed bundles; and how a passphrase is asked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melanoscope.cli.output import say
from melanoscope.errors import SignatureError

if TYPE_CHECKING:
    from melanoscope.signing.keys import SecretKey


def keygen(
    out: Annotated[
        Path, typer.Option("--out", help="File of the secret key; the public one ends in .pub.")
    ] = Path("melanoscope.key"),
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave the secret key unencrypted.")
    ] = False,
) -> None:
    """Make a pair of keys: the secret one signs bundles, the public one is for --trust.

    The files are those of minisign. The passphrase is asked for, or taken from the environment
    variable MELANOSCOPE_PASSPHRASE.
    """
    from melanoscope.signing.keys import make_keys, read_public_key

    passphrase = "" if no_passphrase else _passphrase(confirm=True)
    public = make_keys(out, passphrase)
    say(f"secret key: {out} (keep it to yourself)")
    say(f"public key: {public}")
    say(f"the same in one word: {read_public_key(str(public)).to_base64()}")


def open_secret_key(path: Path) -> SecretKey:
    """Read a secret key, and ask for its passphrase if it is encrypted."""
    from melanoscope.signing.keys import read_secret_key

    return read_secret_key(path, _passphrase)


def _passphrase(*, confirm: bool = False) -> str:
    from melanoscope.signing.keys import PASSPHRASE_VARIABLE

    if (known := os.environ.get(PASSPHRASE_VARIABLE)) is not None:
        return known
    if not sys.stdin.isatty():
        raise SignatureError(
            "a passphrase",
            "nobody to ask",
            f"set {PASSPHRASE_VARIABLE} in the environment, or use a key without one",
        )
    word: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return word
