"""Archives of others and own tables, drawn in their published layouts."""

from __future__ import annotations

from pathlib import Path

from .archives import PAD_DIAGNOSES, write, write_pad
from .drawn_rows import N, Photograph, is_melanoma, pick


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


def class_folders(folder: Path, photograph: Photograph) -> None:
    for i in range(N):
        word = pick(i, "Melanoma", "nevi", "pigmented_benign_keratosis")
        photograph(folder / ("train", "test")[i % 2] / word / f"{i:03d}.jpg", i)


def nothing(folder: Path, photograph: Photograph) -> None:
    pass
