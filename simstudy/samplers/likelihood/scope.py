"""Which models have a maximum of their likelihood here: the linear ones with normal effects and observations."""

from simstudy.errors import StudyError
from simstudy.models.additive import AdditiveModel
from simstudy.models.hierarchical import HierarchicalModel
from simstudy.models.model import Model
from simstudy.models.options import changed_options

SUPPORTED = (
    "expected a built-in model with the likelihood normal with one sigma, or normal_known_se, on sufficient statistics"
)
OF_STRUCTURES = {"mu", "tau", "theta"}


def supported(model: Model, kind: str) -> HierarchicalModel | AdditiveModel:
    """Return a model whose effects and observations are normal and linear in its coefficients.

    Args:
        model: any model.
        kind: of the sampler, for the message.

    Raises:
        StudyError: it is another; the message names what is supported.
    """
    declared = model.declared
    if declared is None:
        raise StudyError(f"sampler {kind!r}: a user's model has no likelihood that can be maximized here; {SUPPORTED}")
    likelihood = declared.likelihood
    if likelihood.exact_form != "normal":
        options = ", ".join(f"{name} = {value!r}" for name, value in changed_options(likelihood).items())
        words = f"{likelihood.kind!r}" + (f" with {options}" if options else "")
        raise StudyError(f"sampler {kind!r}: the likelihood {words} is out of scope; {SUPPORTED}")
    if isinstance(declared, AdditiveModel):
        return declared
    structure = declared.structure
    names = {p.name for p in structure.parameters}
    if structure.normal_effects(dict(declared.priors)) is None or not names <= OF_STRUCTURES:
        raise StudyError(f"sampler {kind!r}: the structure {structure.kind!r} is out of scope; {SUPPORTED}")
    if declared.observations != "sufficient":
        raise StudyError(
            f"sampler {kind!r}: observations = {declared.observations!r} is out of scope; {SUPPORTED}, which say the "
            "same"
        )
    hierarchy: HierarchicalModel = declared
    return hierarchy
