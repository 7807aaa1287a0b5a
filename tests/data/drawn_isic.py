"""Archives whose photographs the ISIC archive serves, drawn in their published layouts."""

from __future__ import annotations

from pathlib import Path

from .archives import write, write_2019, write_2020, write_ham
from .drawn_rows import IDS, MELANOMA_NODE, N, Photograph, is_melanoma, pick


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
