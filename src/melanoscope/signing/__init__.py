"""Signatures in the format of minisign (https://jedisct1.github.io/minisign/), made and checked."""
