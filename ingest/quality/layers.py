"""Which limits hold for a series: catalogue, then its device's profile, then its site."""

from collections.abc import Mapping

from core.model import Series
from core.overrides import Effective, Overrides, effective
from core.quality import Limits
from ingest.profiles import NO_PROFILE, Profile
from ingest.quality.settings import catalogue_limits
from ingest.registry import Known


def explained(parameter: str, profile: Profile, site: Overrides) -> Effective:
    """The limits of a parameter at a site with these overrides, and where each comes from."""
    layers = (profile.quality.get(parameter), site.get(parameter))
    return effective(catalogue_limits(parameter), *layers)


def limits_of(
    series: Series, devices: Mapping[str, Known], sites: Mapping[str, Overrides]
) -> Limits:
    """The limits of a series; `sites` are the overrides by site."""
    known = devices.get(series.device)
    profile = known.profile if known else NO_PROFILE  # it may have left the configuration
    return explained(series.parameter, profile, sites.get(series.site, {})).limits
