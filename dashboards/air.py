"""Air station: PM2.5 in the bands of the Thai index, gases, weather."""

from dashboards.facts import Facts, Words
from dashboards.flux import CHOSEN, CHOSEN_SITES, HERE, before_end, by_place, known, means, readings
from dashboards.frame import chosen, dashboard
from dashboards.look import UNITS, bands_drawn
from dashboards.panels import Json, lines, tiles
from dashboards.shared import described, every, open_alerts

PARAMETERS = (
    "pm25", "pm10", "o3", "no2", "co", "so2", "air_temperature", "humidity", "noise",
)  # fmt: skip
HOURS = 18  # of 24, with which a mean of a day counts
UNIT = UNITS["ug/m3"]


def air(say: Words, facts: Facts) -> Json:
    """The dashboard."""
    rows = [
        (8, [(mean_of_a_day(say, facts, CHOSEN_SITES), 12), (open_alerts(say, CHOSEN_SITES), 12)]),
        (10, [(_bands_over_time(say, facts), 24)]),
        *every(PARAMETERS, say, facts, "air"),
    ]
    return dashboard(
        say,
        "air",
        say("Andaman: air station", "อันดามัน: สถานีอากาศ"),
        rows,
        description=say(
            "The air at the chosen stations. The bands are those of the Thai air quality index for "
            "PM2.5; the index itself takes more pollutants into account.",
            "คุณภาพอากาศที่สถานีที่เลือก แถบสีเป็นช่วงของดัชนีคุณภาพอากาศของไทยสำหรับ PM2.5 "
            "ตัวดัชนีจริงใช้สารมลพิษอื่นด้วย",
        ),
        variables=chosen(say, "air"),
        annotated=CHOSEN_SITES,
        since="now-7d",
    )


def mean_of_a_day(say: Words, facts: Facts, chosen_sites: str = "true") -> Json:
    """A tile for each station: the mean of PM2.5 over 24 hours, in the colour of its band."""
    source = readings("air", "pm25", within=before_end("24h"), chosen=chosen_sites)
    hourly = f"""{means("pm25", source, "1h")}
    |> keep(columns: ["_time", "site", "device", "pm25"])"""
    placed = known(
        say, hourly, "pm25", columns=("name", "district"), keys=("name", "site", "device")
    )
    query = f"""{placed}
  |> filter(fn: (r) => {HERE})
  |> reduce(
      identity: {{hours: 0, sum: 0.0}},
      fn: (r, accumulator) => ({{
        hours: accumulator.hours + 1, sum: accumulator.sum + r.pm25,
      }}),
    )
  |> filter(fn: (r) => r.hours >= {HOURS})
  |> map(fn: (r) => ({{
      name: r.name, site: r.site, value: math.round(x: 10.0 * r.sum / float(v: r.hours)) / 10.0,
    }}))
  |> map(fn: (r) => ({{r with band: {_band_of(say, facts)}}}))
  |> group()"""
    return tiles(
        say("PM2.5, mean over 24 hours", "PM2.5 เฉลี่ย 24 ชั่วโมง"),
        query,
        description=_about_bands(say, facts),
        unit=UNIT,
        name="${__data.fields.name} · ${__data.fields.band}",
        thresholds=bands_drawn(facts.pm25),
        decimals=1,
    )


def _bands_over_time(say: Words, facts: Facts) -> Json:
    within = "start: date.sub(from: v.timeRangeStart, d: 24h), stop: v.timeRangeStop"
    hourly = means("pm25", readings("air", "pm25", within=within, chosen=CHOSEN), "1h")
    query = f"""{by_place(say, "pm25", hourly)}
  |> timedMovingAverage(every: 1h, period: 24h)
  |> filter(fn: (r) => r._time >= v.timeRangeStart)"""
    return lines(
        say(
            "PM2.5 over 24 hours, in the bands of the Thai index",
            "PM2.5 เฉลี่ย 24 ชั่วโมง ตามช่วงดัชนี AQI ของไทย",
        ),
        [query],
        description=described(say, _about_bands(say, facts)),
        unit=UNIT,
        name="${__field.labels.name}",
        thresholds=bands_drawn(facts.pm25),
        areas=True,
        decimals=1,
    )


def _band_of(say: Words, facts: Facts) -> str:
    """Flux: the name of the band that `r.value` lies in."""
    *lower, last = facts.pm25.steps
    cases = "".join(
        f'if r.value <= {band.up_to:.4g} then "{say.name(band.name)}" else ' for band in lower
    )
    return f'{cases}"{say.name(last.name)}"'


def _about_bands(say: Words, facts: Facts) -> str:
    names = [
        f"- {say.name(band.name)}: "
        + (say("above", "สูงกว่า") if band.up_to is None else f"≤ {band.up_to:g} µg/m³")
        for band in facts.pm25.steps
    ]
    head = say(
        f"Hourly means of good readings, at least {HOURS} of 24. Bands, in colours that "
        "everybody can tell apart:",
        f"ค่าเฉลี่ยรายชั่วโมงจากข้อมูลที่ผ่านการตรวจสอบ อย่างน้อย {HOURS} ใน 24 ชั่วโมง ช่วงค่า:",
    )
    return "\n".join([head, "", *names, "", facts.pm25.source])
