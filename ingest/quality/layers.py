"""Which limits hold for a series: catalogue, then its device's profile, then its site."""

from collections.abc import Mapping

from core.overrides import Effective, Override, Overrides, effective, merged
from core.quality import Limits
from core.registry import Series
from ingest.profiles import NO_PROFILE, Profile
from ingest.quality.settings import catalogue_limits
from ingest.registry import Known


def explained(parameter: str, profile: Profile, site: Overrides) -> Effective:
    """The limits of a parameter at a site with these overrides, and where each comes from."""
    return effective(catalogue_limits(parameter), *_layers(parameter, profile, site))


def limits_of(
    series: Series, devices: Mapping[str, Known], sites: Mapping[str, Overrides]
) -> Limits:
    """The limits of a series; `sites` are the overrides by site."""
    known = devices.get(series.device)
    profile = known.profile if known else NO_PROFILE  # it may have left the configuration
    layers = _layers(series.parameter, profile, sites.get(series.site, {}))
    return merged(catalogue_limits(series.parameter), *layers)


def _layers(parameter: str, profile: Profile, site: Overrides) -> tuple[Override | None, ...]:
    return profile.quality.get(parameter), site.get(parameter)
