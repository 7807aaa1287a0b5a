"""Names that people give to the columns that are read, the same for training and for answers."""

from __future__ import annotations

PATH_NAMES = (
    *("path", "photograph", "image", "file", "filename", "file_name", "image_path"),
    *("filepath", "file_path", "image_file", "image_name", "img", "photo", "picture"),
)
PATIENT_NAMES: dict[str, tuple[str, ...]] = {
    "age": ("age", "age_approx"),
    "sex": ("sex", "gender"),
    "site": (
        *("site", "localization", "localisation", "anatom_site_general", "region"),
        *("anatomical_site", "anatomic_site", "body_site"),
    ),
}
"""What is known of a patient -> names of its column; the first one is ours."""
