"""Draws each archive small, in the layout in which it is published: 12 lesions, 4 melanomas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .archives import PAD_DIAGNOSES, write, write_2019, write_2020, write_ham, write_pad

Photograph = Callable[[Path, int], Path]
"""Writes a photograph of its own content at a path."""

N = 12
IDS = [f"ISIC_{7 * i:07d}" for i in range(N)]

MELANOMA_NODE = "Malignant melanocytic proliferations (Melanoma)"


def is_melanoma(i: int) -> bool:
    return i % 3 == 0


def pick(i: int, melanoma: str, *others: str) -> str:
    return melanoma if is_melanoma(i) else others[i % len(others)]


@dataclass(frozen=True)
class Drawn:
    """An archive as it is drawn, and what must be read of it.

    Attributes:
        make: Draws it into a folder.
        rows: Rows that its reader gives.
        groups: Patients, lesions or single photographs that no split divides.
        malignant: Rows that are malignant; the melanomas are `melanomas`.
        indeterminate: Rows that are neither benign nor malignant.
        about: What is read of the row of one photograph, by its id.
        said: A part of each note that must be there.
    """

    make: Callable[[Path, Photograph], None]
    rows: int = N
    groups: int = N
    melanomas: int = 4
    malignant: int = 4
    indeterminate: int = 0
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    path: str = "."


def isic2020(folder: Path, photograph: Photograph) -> None:
    for i, name in enumerate(IDS):
        photograph(folder / "train" / f"{name}.jpg", i)
    rows = [
        {"image_name": name, "patient_id": f"IP_{i // 2}", "target": int(is_melanoma(i))}
        for i, name in enumerate(IDS)
    ]
    write_2020(folder, *({**row, "benign_malignant": ""} for row in rows))


def isic2019(folder: Path, photograph: Photograph) -> None:
    for i, name in enumerate(IDS):
        photograph(folder / "ISIC_2019_Training_Input" / f"{name}.jpg", i)
    write_2019(
        folder,
        *(
            {"image": name, "label": pick(i, "MEL", "NV", "BCC"), "lesion_id": f"L{i}"}
            for i, name in enumerate(IDS)
        ),
    )


def ham10000(folder: Path, photograph: Photograph) -> None:
    for i, name in enumerate(IDS):
        photograph(folder / f"HAM10000_images_part_{1 + i // 6}" / f"{name}.jpg", i)
    rows = (
        {"image_id": name, "lesion_id": f"HAM_{i // 2}", "dx": pick(i, "mel", "nv", "akiec")}
        for i, name in enumerate(IDS)
    )
    write_ham(folder, *rows)


def pad_ufes_20(folder: Path, photograph: Photograph) -> None:
    rows = []
    for i in range(N):
        word = pick(i, "MEL", "NEV", "SCC")
        assert word in PAD_DIAGNOSES
        name = f"PAT_{i // 2}_{i}_1.png"
        photograph(folder / f"imgs_part_{1 + i // 6}" / name, i)
        ids = {"img_id": name, "patient_id": f"PAT_{i // 2}", "lesion_id": i}
        rows.append({**ids, "diagnostic": word})
    write_pad(folder, *rows)


def own_table(folder: Path, photograph: Photograph) -> None:
    rows = [
        {"path": f"images/{i}.png", "target": int(is_melanoma(i)), "patient_id": f"p{i // 2}"}
        for i in range(N)
    ]
    for i, row in enumerate(rows):
        photograph(folder / str(row["path"]), i)
    write(folder / "clinic.csv", "path,target,patient_id", rows)


def isic2018(folder: Path, photograph: Photograph) -> None:
    classes = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
    name = "ISIC2018_Task3_Training_GroundTruth"
    rows, lesions = [], []
    for i, image in enumerate(IDS):
        photograph(folder / "ISIC2018_Task3_Training_Input" / f"{image}.jpg", i)
        label = pick(i, "MEL", "NV", "BCC")
        rows.append({"image": image, **dict.fromkeys(classes, "0.0"), label: "1.0"})
        confirmed = {"diagnosis_confirm_type": "histopathology"}
        lesions.append({"image": image, "lesion_id": f"HAM_{i // 2}", **confirmed})
    write(folder / name / f"{name}.csv", ",".join(("image", *classes)), rows)
    header = "image,lesion_id,diagnosis_confirm_type"
    write(folder / "ISIC2018_Task3_Training_LesionGroupings.csv", header, lesions)


def bcn20000(folder: Path, photograph: Photograph) -> None:
    header = (
        "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split"
    )
    rows = []
    for i in range(N):
        name = f"BCN_{i:010d}.jpg"
        photograph(folder / "BCN_20k_train" / "bcn_20k_train" / name, i)
        about = {"age_approx": "55.0", "anatom_site_general": "anterior torso", "sex": "female"}
        kept = {"lesion_id": f"BCN_{i // 2}", "capture_date": "2012-04-10", "split": "train"}
        label = pick(i, "MEL", "NV", "AK")
        rows.append({"bcn_filename": name, "diagnosis": label, **about, **kept})
    write(folder / "bcn_20k_train.csv", header, rows)
    header = "bcn_filename,age_approx,anatom_site_general,sex,capture_date,split"
    write(folder / "bcn_20k_test.csv", header, [])


def ph2(folder: Path, photograph: Photograph) -> None:
    lines = [
        "||   Name   ||  Histological Diagnosis  || Clinical Diagnosis || Asymmetry || Colors  ||"
    ]
    for i in range(N):
        name = f"IMD{i + 2:03d}"
        place = folder / "PH2 Dataset images" / name
        photograph(place / f"{name}_Dermoscopic_Image" / f"{name}.bmp", i)
        photograph(place / f"{name}_lesion" / f"{name}_lesion.bmp", 100 + i)
        photograph(place / f"{name}_roi" / f"{name}_R1_Label4.bmp", 200 + i)
        code = pick(i, "2", "0", "1")
        histology = "Melanoma (in situ)" if code == "2" else ""
        lines.append(
            f"|| {name}   || {histology:24} ||         {code}          ||     0     || 3 4 ||"
        )
    lines += [
        "",
        "Legends:",
        "|| Clinical Diagnosis: || 0 - Common Nevus; 1 - Atypical; 2 - Melanoma ||",
    ]
    (folder / "PH2_dataset.txt").write_text("\n".join(lines), "latin-1")


def derm7pt(folder: Path, photograph: Photograph) -> None:
    header = (
        "case_num,diagnosis,seven_point_score,pigment_network,streaks,pigmentation,"
        "regression_structures,dots_and_globules,blue_whitish_veil,vascular_structures,"
        "level_of_diagnostic_difficulty,elevation,location,sex,management,clinic,derm,case_id,notes"
    )
    sites = ("back", "lower limbs", "abdomen", "upper limbs", "chest", "head neck", "acral")
    rows = []
    for i in range(N):
        clinic, derm = f"NEL/Nel{2 * i:03d}.jpg", f"NEL/Nel{2 * i + 1:03d}.jpg"
        for number, name in enumerate((clinic, derm)):
            photograph(folder / "images" / name, 2 * i + number)
        word = pick(i, "melanoma (less than 0.76 mm)", "clark nevus", "basal cell carcinoma")
        about = {"location": (*sites, "buttocks", "genital areas")[i % 9], "sex": "female"}
        leaks = {"seven_point_score": 5, "management": "excision", "elevation": "flat"}
        named = {"case_num": i + 1, "diagnosis": word, "clinic": clinic, "derm": derm}
        rows.append({**named, **about, **leaks})
    write(folder / "meta" / "meta.csv", header, rows)
    write(folder / "meta" / "train_indexes.csv", "indexes", [{"indexes": i} for i in range(N)])


def ddi(folder: Path, photograph: Photograph) -> None:
    words = (
        "seborrheic-keratosis-irritated",
        "squamous-cell-carcinoma-in-situ",
        "trichofolliculoma",
    )
    rows = []
    for i in range(N):
        name = f"{i + 1:06d}.png"
        photograph(folder / name, i)
        word = pick(i, "melanoma-in-situ", *words)
        malignant = is_melanoma(i) or word.startswith("squamous")
        tone = {"skin_tone": (12, 34, 56)[i % 3], "malignant": malignant, "disease": word}
        rows.append({"": i, "DDI_ID": i + 1, "DDI_file": name, **tone})
    write(folder / "ddi_metadata.csv", ",DDI_ID,DDI_file,skin_tone,malignant,disease", rows)


def fitzpatrick17k(folder: Path, photograph: Photograph) -> None:
    header = (
        "md5hash,fitzpatrick_scale,fitzpatrick_centaur,label,nine_partition_label,"
        "three_partition_label,qc,url,url_alphanum"
    )
    labels = (
        ("psoriasis", "inflammatory", "non-neoplastic"),
        ("basal cell carcinoma", "malignant epidermal", "malignant"),
        ("becker nevus", "no such part", "benign"),
    )
    rows = []
    for i in range(N + 1):
        name = f"{i:032x}"
        if i != 1:
            photograph(folder / "data" / "finalfitz17k" / f"{name}.jpg", i)
        melanoma = ("superficial spreading melanoma ssm", "malignant melanoma", "malignant")
        label, nine, three = melanoma if is_melanoma(i) and i < N else labels[i % 3]
        names = {"label": label, "nine_partition_label": nine, "three_partition_label": three}
        quality = {"qc": "3 Wrongly labelled" if i == N else "1 Diagnostic"}
        rows.append({"md5hash": name, "fitzpatrick_scale": -1, **names, **quality})
    write(folder / "fitzpatrick17k.csv", header, rows)


def isic_export(folder: Path, photograph: Photograph) -> None:
    header = (
        "isic_id,attribution,copyright_license,age_approx,anatom_site_1,diagnosis_1,diagnosis_2,"
        "diagnosis_3,image_type,lesion_id,mel_thick_mm,patient_id,sex"
    )
    tree = (
        ("Malignant", MELANOMA_NODE, "Melanoma in situ"),
        ("Benign", "Benign melanocytic proliferations", "Nevus"),
        ("Indeterminate", "Indeterminate melanocytic proliferations", ""),
    )
    rows = []
    for i, name in enumerate(IDS):
        photograph(folder / f"{name}.jpg", i)
        levels = {f"diagnosis_{n}": word for n, word in enumerate(tree[i % 3], start=1)}
        about = {"image_type": "dermoscopic", "anatom_site_1": "Head and neck", "age_approx": 85}
        who = {"patient_id": f"IP_{i // 2}", "copyright_license": "CC-0", "attribution": "Clinic"}
        rows.append({"isic_id": name, **levels, **about, **who})
    write(folder / "metadata.csv", header, rows)


def milk10k(folder: Path, photograph: Photograph) -> None:
    classes = "AKIEC,BCC,BEN_OTH,BKL,DF,INF,MAL_OTH,MEL,NV,SCCKA,VASC"
    labels, about = [], []
    for i in range(N):
        lesion = f"IL_{i:07d}"
        marks = dict.fromkeys(classes.split(","), "0.0")
        labels.append({"lesion_id": lesion, **marks, pick(i, "MEL", "NV", "SCCKA"): "1.0"})
        for number, kind in enumerate(("clinical: close-up", "dermoscopic")):
            name = f"ISIC_{2 * i + number:07d}"
            photograph(folder / "MILK10k_Training_Input" / lesion / f"{name}.jpg", 2 * i + number)
            row = {"lesion_id": lesion, "isic_id": name, "image_type": kind}
            about.append({**row, "sex": "male", "age_approx": 60, "site": "head_neck_face"})
    write(folder / "MILK10k_Training_GroundTruth.csv", f"lesion_id,{classes}", labels)
    header = "lesion_id,image_type,isic_id,attribution,copyright_license,age_approx,sex,site"
    write(folder / "MILK10k_Training_Metadata.csv", header, about)


def isic2024(folder: Path, photograph: Photograph) -> None:
    edition = "ISIC_2024_Training"
    labels, about, more = [], [], []
    for i, name in enumerate(IDS):
        photograph(folder / f"{edition}_Input" / f"{name}.jpg", i)
        labels.append({"isic_id": name, "malignant": f"{float(i % 3 != 1)}"})
        about.append({"isic_id": name, "patient_id": f"IP_{i // 2}", "sex": "male"})
        words = (
            ("Malignant", MELANOMA_NODE),
            ("Benign", ""),
            ("Malignant", "Basal cell carcinoma"),
        )
        levels = {f"iddx_{n}": word for n, word in enumerate(words[i % 3], start=1)}
        more.append({"isic_id": name, **levels})
    write(folder / f"{edition}_GroundTruth.csv", "isic_id,malignant", labels)
    write(folder / f"{edition}_Input" / "metadata.csv", "isic_id,patient_id,sex", about)
    header = "isic_id,lesion_id,iddx_full,iddx_1,iddx_2,iddx_3,mel_thick_mm"
    write(folder / f"{edition}_Supplement.csv", header, more)


def class_folders(folder: Path, photograph: Photograph) -> None:
    for i in range(N):
        word = pick(i, "Melanoma", "nevi", "pigmented_benign_keratosis")
        photograph(folder / ("train", "test")[i % 2] / word / f"{i:03d}.jpg", i)


def nothing(folder: Path, photograph: Photograph) -> None:
    pass


DRAWN: dict[str, Drawn] = {
    "isic2020": Drawn(isic2020, groups=6),
    "isic2019": Drawn(isic2019, malignant=8, about={IDS[1]: {"lesion_id": "L1"}}),
    "isic2019-melanoma": Drawn(isic2019, rows=4, groups=4),
    "ham10000": Drawn(ham10000, groups=6, indeterminate=4),
    "pad-ufes-20": Drawn(pad_ufes_20, groups=6, malignant=8),
    "table": Drawn(own_table, groups=6),
    "simulated": Drawn(nothing, path="60", rows=60, groups=60, melanomas=-1),
    "isic": Drawn(
        isic_export,
        groups=6,
        indeterminate=4,
        about={IDS[1]: {"site": "head/neck", "license": "CC-0", "diagnosis": "nevus"}},
    ),
    "milk10k": Drawn(
        milk10k,
        rows=2 * N,
        melanomas=8,
        malignant=16,
        about={"ISIC_0000003": {"image_type": "dermoscopic", "lesion_id": "IL_0000001"}},
    ),
    "isic2024": Drawn(
        isic2024, groups=6, malignant=8, about={IDS[2]: {"diagnosis": "basal cell carcinoma"}}
    ),
    "isic2018": Drawn(
        isic2018,
        groups=6,
        malignant=8,
        about={IDS[3]: {"lesion_id": "HAM_1", "image_type": "dermoscopic", "age": None}},
    ),
    "bcn20000": Drawn(
        bcn20000,
        groups=6,
        indeterminate=4,
        about={"BCN_0000000004.jpg": {"site": "torso", "age": 55.0, "lesion_id": "BCN_2"}},
        said=("ISIC 2019",),
    ),
    "ph2": Drawn(ph2, about={"IMD003": {"diagnosis": "nevus", "image_type": "dermoscopic"}}),
    "derm7pt": Drawn(
        derm7pt,
        rows=2 * N,
        melanomas=8,
        malignant=16,
        about={
            "NEL/Nel002.jpg": {
                "image_type": "clinical",
                "lesion_id": "2",
                "site": "lower extremity",
            },
            "NEL/Nel003.jpg": {"image_type": "dermoscopic", "lesion_id": "2", "sex": "female"},
        },
    ),
    "ddi": Drawn(
        ddi,
        malignant=8,
        about={"000002.png": {"malignancy": "malignant", "image_type": "clinical"}},
        said=("1 of the diseases",),
    ),
    "fitzpatrick17k": Drawn(
        fitzpatrick17k,
        rows=N + 1,
        groups=N + 1,
        malignant=8,
        about={
            f"{2:032x}": {"diagnosis": "unknown benign", "malignancy": "benign"},
            f"{N:032x}": {"diagnosis": "unknown", "malignancy": None},
        },
        said=("left out: 1", "near-duplicates", "1 of the labels"),
    ),
    "folder": Drawn(
        class_folders,
        about={"train/Melanoma/000.jpg": {"diagnosis": "melanoma", "malignancy": "malignant"}},
        said=("test, train are joined", "name no patients"),
    ),
}
"""Every kind of archive."""
