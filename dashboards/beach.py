"""Beach: the sea at the chosen beaches."""

from dashboards.facts import Facts, Words
from dashboards.flux import CHOSEN_SITES
from dashboards.frame import chosen, dashboard
from dashboards.panels import Json
from dashboards.shared import every, open_alerts, state_tiles

PARAMETERS = (
    "water_temperature",
    "turbidity",
    "dissolved_oxygen",
    "ph",
    "salinity",
    "oxygen_saturation",
    "chlorophyll",
    "water_level",
)


def beach(say: Words, facts: Facts) -> Json:
    """The dashboard."""
    state = state_tiles(say, say("How the beaches stand", "สถานะชายหาด"), "beach", CHOSEN_SITES)
    rows = [
        (8, [(state, 12), (open_alerts(say, CHOSEN_SITES), 12)]),
        *every(PARAMETERS, say, facts, "beach"),
    ]
    return dashboard(
        say,
        "beach",
        say("Andaman: beach", "อันดามัน: ชายหาด"),
        rows,
        description=say(
            "What probes in the water measure. No probe sees bacteria, so nothing here says that "
            "it is safe to swim.",
            "ค่าที่หัววัดในน้ำทะเลตรวจวัดได้ หัววัดตรวจไม่พบแบคทีเรีย จึงไม่ได้บอกว่าลงเล่นน้ำได้อย่างปลอดภัย",
        ),
        variables=chosen(say, "beach"),
        annotated=CHOSEN_SITES,
        since="now-7d",
    )
