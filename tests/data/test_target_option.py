"""What people write behind --target."""

from __future__ import annotations

import pytest

from melanoscope.data.targets import parse_target
from melanoscope.errors import DataError


@pytest.mark.parametrize("text", ["malignant", "Malignant", " MALIGNANT "])
def test_case_means_nothing(text):
    assert parse_target(text).name == "malignant"


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("mel", "say --target melanoma"),
        ("melanom", "say --target melanoma"),
        ("malignancy", "say --target malignant"),
        ("BCC", "say --target basal_cell_carcinoma='basal cell carcinoma'"),
        ("", "say --target keratinocyte_cancer=bcc,scc"),
        ("Melanoma=nevus", "say --target keratinocyte_cancer=bcc,scc"),
    ],
)
def test_another_word_is_refused_with_what_it_may_have_meant(text, mend):
    with pytest.raises(DataError) as caught:
        parse_target(text)
    assert caught.value.mend.startswith(mend)
    assert len(str(caught.value)) < 250
