"""The rollout behind OpenFeature, the flags' common face: asked by any program, or deciding in place of our own shares.

Needs the extra `openfeature`. https://openfeature.dev/specification
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeVar

from ocrkit.errors import BadParams, MissingExtra
from ocrkit.rollout.assign import in_group
from ocrkit.rollout.follow import Follower
from ocrkit.rollout.state import State

try:
    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.exception import FlagNotFoundError, TargetingKeyMissingError, TypeMismatchError
    from openfeature.flag_evaluation import FlagResolutionDetails, Reason
    from openfeature.provider import AbstractProvider, Metadata
except ImportError as missing:
    raise MissingExtra("openfeature is not installed: pip install 'ocrkit[openfeature]'.") from missing

T = TypeVar("T")

CHALLENGED = "ocr-challenger"  # boolean: whether the challenger reads for this key
READER = "ocr-reader"  # text: what reads for this key, such as `ocrkit-reader:7` or `engine:tesseract`
_DOMAIN = "ocrkit"


class RolloutProvider(AbstractProvider):
    """Answers the flags `ocr-challenger` and `ocr-reader` by the state of a rollout, for the targeting key.

    Args:
        follower: knows the state.
    """

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self._follower = follower

    def get_metadata(self) -> Metadata:
        """Its name."""
        return Metadata("ocrkit rollout")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Whether the challenger reads."""
        return self._resolved(flag_key, CHALLENGED, evaluation_context, lambda state, challenged: challenged)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """What reads."""
        return self._resolved(
            flag_key,
            READER,
            evaluation_context,
            lambda state, challenged: str(state.challenger if challenged else state.champion),
        )

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """No flag of a rollout is a whole number."""
        raise self._wrong_type(flag_key)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """No flag of a rollout is a number."""
        raise self._wrong_type(flag_key)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[Any] | Mapping[str, Any],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Any]:
        """No flag of a rollout is an object."""
        raise self._wrong_type(flag_key)

    def _resolved(
        self, flag: str, known: str, context: EvaluationContext | None, value: Callable[[State, bool], T]
    ) -> FlagResolutionDetails[T]:
        if flag != known:
            raise self._wrong_type(flag)
        if context is None or not context.targeting_key:
            raise TargetingKeyMissingError(f"{flag} is told by a targeting key: of a user, a device or a document")
        state = self._follower.state
        challenged = state.is_running and in_group(state.salt, context.targeting_key, state.share)
        reason = Reason.SPLIT if state.is_running else Reason.STATIC
        variant = "challenger" if challenged else "champion"
        return FlagResolutionDetails(
            value(state, challenged), reason=reason, variant=variant, flag_metadata={"epoch": state.epoch}
        )

    def _wrong_type(self, flag: str) -> Exception:
        if flag in (CHALLENGED, READER):
            return TypeMismatchError(f"{flag} is a {'boolean' if flag == CHALLENGED else 'string'}")
        return FlagNotFoundError(f"A rollout has the flags {CHALLENGED} and {READER}, not {flag}")


def assignment(provider: str, **options: Any) -> Callable[[State, str], bool]:
    """Who has the challenger by somebody else's flags: a function for `Gate`, which takes the state and the key.

    The flag `ocr-challenger` decides; where the provider does not answer, the rollout's own share does.

    Args:
        provider: an OpenFeature provider's class, as `module:Class`, such as
            `openfeature.contrib.provider.flagd:FlagdProvider`.
        options: what it is made with.

    Raises:
        BadParams: there is no such class, or it takes no such options.
    """
    module, _, name = provider.partition(":")
    try:
        made = getattr(import_module(module), name)(**options)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise BadParams(f"{provider!r} gives no OpenFeature provider: {error}.") from None
    api.set_provider(made, _DOMAIN)
    client = api.get_client(_DOMAIN)

    def chosen(state: State, key: str) -> bool:
        own = in_group(state.salt, key, state.share)
        context = EvaluationContext(key, {"share": state.share, "epoch": state.epoch, "step": state.step})
        return client.get_boolean_value(CHALLENGED, own, context)

    return chosen
