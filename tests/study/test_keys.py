"""The list of keys of a study file, held to the models that validate study files."""

import tomllib

import pytest
from pydantic import ValidationError

from simstudy.mechanisms.dataset_section import DatasetSection
from simstudy.models.documented import words_of
from simstudy.models.likelihoods import LIKELIHOODS
from simstudy.models.options import as_tuples, section_of
from simstudy.models.structures import STRUCTURES
from simstudy.models.terms import TERM_STRUCTURES
from simstudy.samplers import SAMPLERS
from simstudy.study import grouped_design, multilevel_design
from simstudy.study.additive_methods import AdditiveSection
from simstudy.study.data_terms import DataCovariateSection, DataTermSection
from simstudy.study.keys import Key, study_keys
from simstudy.study.method_options import with_options_of
from simstudy.study.methods import MethodSection
from simstudy.study.multilevel_sections import CovariateSection, TermSection
from simstudy.study.study_file import DiagnosticsSection, StudySection, SummarySection
from simstudy.study.term_sections import COVARIATES, with_options

PARTS = (*STRUCTURES.values(), *LIKELIHOODS.values())
TERMS = [family for family in TERM_STRUCTURES.values() if family.parameterized]
VALIDATING = {
    "[study]": [StudySection],
    "[mechanism]": [
        *(
            grouped_design._section(family, likelihood)
            for family in grouped_design.grouped_families().values()
            for likelihood in LIKELIHOODS.values()
        ),
        *map(multilevel_design._section, LIKELIHOODS.values()),
        DatasetSection,
    ],
    "[mechanism.terms.NAME]": [with_options(base, each) for base in (TermSection, DataTermSection) for each in TERMS],
    "[mechanism.covariates.NAME]": [CovariateSection, DataCovariateSection],
    "[[method]]": [with_options_of(MethodSection, PARTS), with_options_of(AdditiveSection, PARTS)],
    "[sampler]": [*map(section_of, SAMPLERS.values())],
    "[summary]": [SummarySection],
    "[diagnostics]": [DiagnosticsSection],
}
"""What validates each section, made as the reader of study files makes it."""


def _named(section: str, name: str) -> list[Key]:
    return [key for key in study_keys() if (key.section, key.name) == (section, name)]


@pytest.mark.parametrize("section", VALIDATING)
def test_every_key_that_a_section_validates_is_listed(section):
    """Whatever a study file may say is in the list, so that the list cannot go stale."""
    allowed = {name for each in VALIDATING[section] for name in each.model_fields}
    listed = {key.name for key in study_keys() if key.section == section}
    assert allowed - {COVARIATES if section == "[mechanism.terms.NAME]" else ""} <= listed


@pytest.mark.parametrize("section", VALIDATING)
def test_every_listed_key_is_validated_somewhere_and_takes_its_example_and_its_default(section):
    """Examples and defaults stand for themselves in a study file: what validates the key takes them."""
    for key in (key for key in study_keys() if key.section == section):
        homes = [each for each in VALIDATING[section] if key.name in each.model_fields]
        own_parameters = {p.name for family in TERMS for p in family(**_covariates(family)).parameters}
        assert homes or key.name in own_parameters, key
        for text in filter(None, (key.example, key.default)):
            value = as_tuples(tomllib.loads(f"key = {text}")["key"])
            assert any(not _refused(home, key.name, value) for home in homes) or not homes, (key, text)


def test_every_key_is_told_in_words():
    """Words, type and example are there for every key; a key with a default is none that has to be given."""
    for key in study_keys():
        assert key.words
        assert key.type
        assert key.example
        assert not (key.default and key.is_required), key


def test_no_key_stands_twice_for_the_same_kinds():
    """A kind has a key once."""
    rows = [(key.section, key.name, key.only) for key in study_keys()]
    assert len(set(rows)) == len(rows)


def test_ranges_are_those_that_are_enforced():
    """The end of a range is taken and what lies beyond is refused, by numbers that are known by construction."""
    (replicates,), (seed,) = _named("[study]", "replicates"), _named("[study]", "seed")
    assert (replicates.type, replicates.default, replicates.range) == ("whole number", "100", "1 to 10,000,000")
    assert seed.range == "at least 0 and below 9,223,372,036,854,775,808"
    assert not _refused(StudySection, "replicates", 10_000_000)
    assert _refused(StudySection, "replicates", 10_000_001)
    assert _refused(StudySection, "replicates", 0)


def test_kinds_that_have_a_key_are_named():
    """A key of some families names them; one of all names none."""
    assert [key.only for key in _named("[mechanism]", "df")] == ["kind: student_t"]
    assert [key.only for key in _named("[mechanism]", "sigma")] == ["likelihood: normal, student_t"]
    assert [key.only for key in _named("[sampler]", "chains")] == [""]
    assert [key.range for key in _named("[sampler]", "kind")] == ['"nuts", "numpyro", "exact", "reml", "ml"']


def test_factors_are_the_keys_whose_lists_are_crossed():
    """The lists of a design are factors; levels of intervals are one value."""
    assert all(key.is_factor for key in _named("[mechanism]", "groups") + _named("[[method]]", "structure"))
    assert not any(key.is_factor for key in _named("[summary]", "levels") + _named("[study]", "seed"))


def test_the_words_of_a_family_are_those_of_its_docstring_and_of_what_it_extends():
    """A subclass says its own options over those that it inherits, and needs no docstring of its own."""

    class Coin:
        """A coin.

        Args:
            bias: probability of heads.
            sides: how many.

        Raises:
            StudyError: never.
        """

    class Die(Coin):
        """A die.

        Args:
            sides: six,
                or more.
        """

    class Silent(Die):
        pass

    assert words_of(Silent) == {"bias": "probability of heads", "sides": "six, or more"}
    assert words_of(int) == {}


def _covariates(family):
    return {COVARIATES: ("x",)} if family.kind == "slopes" else {}


def _refused(section, name, value) -> bool:
    try:
        section.model_validate({name: value})
    except ValidationError as error:
        return any(each["loc"][0] == name for each in error.errors())
    return False
