"""The reporting checklists item by item, as data: topics in our own short words.

Numbers are the published ones. TRIPOD+AI: Collins et al. 2024, table 2 (27 items, 52 with letters).
CLAIM: the 2024 update, 44 items. CLEAR Derm: its four sections; its numbers within them could not
be checked against the published table, so the section stands in their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoscope.report.checklists import data_items as data
from melanoscope.report.checklists import method_items as methods

if TYPE_CHECKING:
    from collections.abc import Callable

    from melanoscope.report.checklists.facts import Answer, Facts

TRIPOD, CLAIM, CLEAR = "TRIPOD+AI", "CLAIM 2024", "CLEAR Derm"


@dataclass(frozen=True)
class Standard:
    """A reporting guideline.

    Attributes:
        name: Short name.
        citation: Where it was published.
        note: What a reader should know of the numbers.
    """

    name: str
    citation: str
    note: str = ""


STANDARDS = (
    Standard(TRIPOD, "Collins et al., BMJ 2024;385:e078378"),
    Standard(CLAIM, "Tejani et al., Radiol Artif Intell 2024;6(4):e240300"),
    Standard(
        CLEAR,
        "Daneshjou et al., JAMA Dermatol 2022;158(1):90-96",
        "Cited by section: its numbering was not checked against the published table.",
    ),
)


@dataclass(frozen=True)
class Item:
    """One item of a checklist.

    Attributes:
        standard: Name of its guideline.
        number: As published, or the name of its section.
        topic: In our own short words.
        hint: What a person is to write there, or to add to what software knows.
        fill: Says what software knows, from facts; None where only a person can know.
    """

    standard: str
    number: str
    topic: str
    hint: str
    fill: Callable[[Facts], Answer] | None = None


_TRIPOD = (
    ("1", "Title", "a title with population, outcome, and development or evaluation", None),
    ("2", "Abstract", "a structured abstract (TRIPOD+AI for Abstracts)", None),
    ("3a", "Context and rationale", "clinical context, reasons, models that exist", None),
    ("3b", "Target population and users", "for whom, where in the pathway, by whom", None),
    ("3c", "Known health inequalities", "inequalities known between groups of people", None),
    ("4", "Objectives", "aims; development, evaluation or both", None),
    ("5a", "Sources of data", "why these data, and whom they represent", data.sources),
    ("5b", "Dates", "when participants were enrolled", None),
    ("6a", "Setting", "kind of care, number and place of centres", None),
    ("6b", "Eligibility", "criteria by which the archives took participants", data.exclusions),
    ("6c", "Treatments", "treatments received, or that none matters", None),
    ("7", "Data preparation", "whether it was alike for all groups of people", data.preprocessing),
    ("8a", "Outcome", "how and when the diagnosis was made, and for whom otherwise", data.outcome),
    ("8b", "Assessors of the outcome", "who made the diagnoses, with what training", None),
    ("8c", "Blinding of the outcome", "what the assessors knew", None),
    ("9a", "Choice of predictors", "why these predictors", data.predictors),
    ("9b", "Definition of predictors", "how and when photographs and data were taken", None),
    ("9c", "Assessors of predictors", "who judged site, sex and age", None),
    ("10", "Sample size", "why that is enough", data.sample_size),
    ("11", "Missing data", "why data are missing", data.missing),
    ("12a", "Use and division of data", "", data.partition),
    ("12b", "Handling of predictors", "", data.predictors),
    ("12c", "Model and internal validation", "why these models", methods.algorithm),
    (
        "12d",
        "Differences between clusters, method",
        "how centres were handled",
        methods.heterogeneity,
    ),
    ("12e", "Measures and plots", "why these measures", methods.measures),
    ("12f", "Updating, method", "what was updated and why", methods.recalibration_planned),
    ("12g", "Calculation of predictions", "", methods.calculation),
    ("13", "Class imbalance", "what was done about it and why", methods.imbalance),
    ("14", "Fairness", "what was done for fairness and why", methods.subgroups),
    ("15", "Output and thresholds", "why this threshold serves the purpose", methods.output),
    ("16", "Development against evaluation data", "differences in setting", methods.same_sources),
    ("17", "Ethical approval", "committee, consent or waiver", None),
    ("18a", "Funding", "who paid, and what they decided", None),
    ("18b", "Conflicts of interest", "conflicts of all authors", None),
    ("18c", "Protocol", "where it lies, or that there is none", None),
    ("18d", "Registration", "register and number, or that there is none", None),
    ("18e", "Data sharing", "where the data can be had", data.licences),
    ("18f", "Code sharing", "where the code can be had", methods.code),
    ("19", "Patient and public involvement", "who was involved and how, or nobody", None),
    ("20a", "Flow of participants", "", data.participants),
    ("20b", "Characteristics", "dates, treatments", data.characteristics),
    ("20c", "Comparison with development data", "further predictors", data.parts_compared),
    ("21", "Numbers in each analysis", "", data.counts),
    ("22", "The full model", "where it can be had, under what terms", methods.specification),
    ("23a", "Performance with intervals", "what it means", methods.performance),
    ("23b", "Differences between clusters, results", "centres, if known", methods.heterogeneity),
    ("24", "Updating, results", "the updated model", methods.recalibration_planned),
    ("25", "Interpretation", "what the results mean, fairness included", None),
    ("26", "Limitations", "limits, and what they do to the results", None),
    ("27a", "Poor or missing input in use", "what to do with a bad photograph", None),
    ("27b", "Users' part and expertise", "what users must do and know", None),
    ("27c", "Next steps", "further research", None),
)

_CLAIM = (
    ("1", "Title says AI and its kind", "the kind of technology in the title", None),
    ("2", "Abstract", "design, methods, results, conclusions", None),
    ("3", "Background and intended use", "background; what the AI is for", None),
    ("4", "Aims and hypotheses", "aims and hypotheses", None),
    ("5", "Prospective or retrospective", "how the data were collected", None),
    ("6", "Goal of the study", "exploration, feasibility, comparison, ...", None),
    ("7", "Data sources", "why these", data.sources),
    ("8", "Inclusion and exclusion", "the archives' own criteria", data.exclusions),
    ("9", "Preprocessing", "", data.preprocessing),
    ("10", "Subsets", "", data.subsets),
    ("11", "De-identification", "how, by whom", None),
    ("12", "Missing data", "why data are missing", data.missing),
    ("13", "Image acquisition", "devices, light, protocol", None),
    ("14", "Reference standard", "histology, follow-up, consensus, ...", None),
    ("15", "Why that reference standard", "why it was chosen", None),
    ("16", "Source of annotations", "who diagnosed, with what training", None),
    ("17", "Annotation of the test set", "whether otherwise than the training set", None),
    ("18", "Variability of annotators", "agreement between and within them", None),
    ("19", "Assignment to partitions", "", data.partition),
    ("20", "Level of disjointness", "", data.disjoint),
    ("21", "Intended sample size", "how it was determined", None),
    ("22", "Model", "", methods.model),
    ("23", "Software", "", methods.software),
    ("24", "Initialisation", "where the weights come from", methods.initialisation),
    ("25", "Training", "", methods.training),
    ("26", "Choice of the final model", "", methods.selection),
    ("27", "Ensembling", "how networks were combined", methods.ensembling),
    ("28", "Metrics", "", methods.metrics),
    ("29", "Significance and uncertainty", "", methods.uncertainty),
    ("30", "Robustness and sensitivity", "further analyses", methods.robustness),
    ("31", "Explainability", "whether the method was validated", methods.explanation),
    ("32", "Internal testing", "", methods.internal),
    ("33", "External testing", "whether it is planned", methods.external),
    ("34", "Trial registration", "register and number, or not applicable", None),
    ("35", "Numbers included and excluded", "patients, where known", data.participants),
    ("36", "Characteristics by partition", "age, sex and site by part", data.by_partition),
    ("37", "Performance and uncertainty", "", methods.performance),
    ("38", "Diagnostic performance and precision", "", methods.diagnostic),
    ("39", "Failure analysis", "what the failures have in common", methods.failures),
    ("40", "Limitations", "limits of the study", None),
    ("41", "Implications for practice", "what it means in practice", None),
    ("42", "Protocol and technical details", "where to find them", None),
    ("43", "Availability of software, model, data", "where to find them", methods.code),
    ("44", "Funding", "who paid, and what they decided", None),
)

_DATA, _TECHNIQUE, _ASSESSMENT, _APPLICATION = (
    *("Data", "Technique", "Technical assessment"),
    "Application",
)
_CLEAR = (
    (_DATA, "Image types", "dermoscopic, clinical, ...", None),
    (_DATA, "Image artefacts", "hairs, rulers, ink, ...", None),
    (_DATA, "Acquisition", "devices, light, who took them", None),
    (_DATA, "Preprocessing", "", data.preprocessing),
    (_DATA, "Synthetic images", "where they can be had", data.synthetic),
    (_DATA, "Public images referenced", "links", data.licences),
    (_DATA, "Patients' metadata", "place, ethnicity, and how known", data.characteristics),
    (_DATA, "Skin colour and how assessed", "whether anybody judged it", data.skin),
    (_DATA, "Biases from metadata", "what metadata may bring in", None),
    (_DATA, "Partitions", "", data.disjoint),
    (_DATA, "Sizes of training, validation and test sets", "", data.counts),
    (_DATA, "External test set", "whether one is planned", methods.external),
    (_DATA, "Several vendors' devices", "makes of the devices", None),
    (_DATA, "Class distribution", "", data.outcome),
    (_DATA, "Images unlike those trained on", "how such are met", None),
    (_TECHNIQUE, "Labelling", "who labelled, and how", None),
    (_TECHNIQUE, "Accepted diagnostic labels", "the terms used and their source", None),
    (_TECHNIQUE, "Histology of malignancies", "how many were confirmed", None),
    (_TECHNIQUE, "Development of the algorithm", "", methods.algorithm),
    (_TECHNIQUE, "Public evaluation", "how others can test it", methods.specification),
    (_ASSESSMENT, "Measures and their calculation", "", methods.measures),
    (_ASSESSMENT, "Benchmarking and novelty", "what is new", methods.benchmarking),
    (_ASSESSMENT, "Bias", "what the differences mean", methods.subgroups),
    (_APPLICATION, "Use cases and conditions", "what it is for, and not for", None),
    (_APPLICATION, "Impact on team and patients", "what changes for whom", None),
)

ITEMS: tuple[Item, ...] = tuple(
    Item(standard, number, topic, hint, fill)
    for standard, rows in ((TRIPOD, _TRIPOD), (CLAIM, _CLAIM), (CLEAR, _CLEAR))
    for number, topic, hint, fill in rows
)
"""All items, guideline by guideline, in the published order."""
