"""What Andaman can measure: one entry for each parameter; units, spans and labels follow from it.

`unit` is UCUM. `physical` is what the quantity or its usual sensors can read at all: beyond it a
reading fails. `usual` is what a tropical coast shows in ordinary weeks: dashboards scale by it, but
a reading beyond it may be just the event that we are here for. `limits` is what the tests of
quality go by; `core.quality_limits` holds them. Spans of sea water, bins and batteries are
proposals of our own, checked against what Phuket's water has read (cruise reports of 2017 to 2023);
no number here is a legal limit: those live in `config/standards/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.quality import Limits
from core.quality_limits import limits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A quantity that a device can report."""

    key: str
    unit: str
    physical: tuple[float, float]
    usual: tuple[float, float]
    label: Mapping[str, str]
    group: str
    limits: Limits


def _parameter(
    key: str,
    unit: str,
    physical: tuple[float, float],
    usual: tuple[float, float],
    label: tuple[str, str],
    group: str,
) -> Parameter:
    english, thai = label
    return Parameter(
        key=key,
        unit=unit,
        physical=physical,
        usual=usual,
        label=MappingProxyType({"en": english, "th": thai}),
        group=group,
        limits=limits_of(key, physical),
    )


_p = _parameter
_PARAMETERS = (
    # water
    _p("chlorophyll", "ug/L", (0, 400), (0, 20), ("Chlorophyll a", "คลอโรฟิลล์ เอ"), "water"),
    _p("conductivity", "mS/cm", (0, 80), (18, 58), ("Conductivity", "ค่าการนำไฟฟ้า"), "water"),
    _p(
        "dissolved_oxygen",
        "mg/L",
        (0, 20),
        (3.5, 12),
        ("Dissolved oxygen", "ออกซิเจนละลายน้ำ"),
        "water",
    ),
    _p(
        "oxygen_saturation",
        "%",
        (0, 250),
        (50, 140),
        ("Oxygen saturation", "ความอิ่มตัวของออกซิเจน"),
        "water",
    ),
    _p("ph", "[pH]", (0, 14), (7.0, 8.6), ("pH", "ความเป็นกรด-ด่าง (pH)"), "water"),
    _p("redox", "mV", (-1000, 1000), (-100, 600), ("Redox potential", "ศักย์รีดอกซ์"), "water"),
    _p("salinity", "[psu]", (0, 45), (10, 36), ("Salinity", "ความเค็ม"), "water"),
    _p(
        "suspended_solids",
        "mg/L",
        (0, 10000),
        (0, 100),
        ("Suspended solids", "สารแขวนลอย"),
        "water",
    ),
    _p("turbidity", "[NTU]", (0, 4000), (0, 50), ("Turbidity", "ความขุ่น"), "water"),
    _p("water_level", "m", (-5, 15), (-1, 5), ("Water level", "ระดับน้ำ"), "water"),
    _p("water_pressure", "kPa", (-100, 3000), (-10, 200), ("Water pressure", "ความดันน้ำ"), "water"),
    _p("water_temperature", "Cel", (-5, 45), (24, 34), ("Water temperature", "อุณหภูมิน้ำ"), "water"),
    _p("wave_height", "m", (0, 20), (0, 3), ("Wave height", "ความสูงคลื่น"), "water"),
    _p("wave_period", "s", (0, 40), (2, 15), ("Wave period", "คาบคลื่น"), "water"),
    # air
    _p("co", "[ppm]", (0, 1000), (0, 9), ("Carbon monoxide", "คาร์บอนมอนอกไซด์"), "air"),
    _p("co2", "[ppm]", (0, 10000), (380, 2000), ("Carbon dioxide", "คาร์บอนไดออกไซด์"), "air"),
    _p("h2s", "[ppb]", (0, 100000), (0, 100), ("Hydrogen sulphide", "ไฮโดรเจนซัลไฟด์"), "air"),
    _p("nh3", "[ppb]", (0, 100000), (0, 500), ("Ammonia", "แอมโมเนีย"), "air"),
    _p("no2", "[ppb]", (0, 5000), (0, 170), ("Nitrogen dioxide", "ไนโตรเจนไดออกไซด์"), "air"),
    _p("noise", "dB[SPL]", (0, 150), (30, 100), ("Noise", "ระดับเสียง"), "air"),
    _p("o3", "[ppb]", (0, 2000), (0, 120), ("Ozone", "โอโซน"), "air"),
    _p("pm1", "ug/m3", (0, 1000), (0, 100), ("PM1", "ฝุ่น PM1"), "air"),
    _p("pm10", "ug/m3", (0, 2000), (0, 180), ("PM10", "ฝุ่น PM10"), "air"),
    _p("pm25", "ug/m3", (0, 1000), (0, 150), ("PM2.5", "ฝุ่น PM2.5"), "air"),
    _p("so2", "[ppb]", (0, 5000), (0, 300), ("Sulphur dioxide", "ซัลเฟอร์ไดออกไซด์"), "air"),
    _p("voc_index", "1", (0, 500), (0, 300), ("VOC index", "ดัชนีสารอินทรีย์ระเหย"), "air"),
    # bins
    _p(
        "bin_temperature",
        "Cel",
        (-20, 200),
        (15, 55),
        ("Temperature in the bin", "อุณหภูมิในถัง"),
        "bin",
    ),
    _p("distance", "mm", (0, 15000), (30, 4000), ("Distance to the waste", "ระยะถึงขยะ"), "bin"),
    _p("fill_level", "%", (0, 100), (0, 100), ("Fill level", "ระดับขยะ"), "bin"),
    _p("methane", "[ppm]", (0, 50000), (0, 1000), ("Methane", "มีเทน"), "bin"),
    _p("tilt", "deg", (0, 180), (0, 15), ("Tilt", "มุมเอียง"), "bin"),
    _p("tipped", "{flag}", (0, 1), (0, 1), ("Tipped over", "ถังล้ม"), "bin"),
    _p("weight", "kg", (0, 20000), (0, 1000), ("Weight", "น้ำหนัก"), "bin"),
    # weather
    _p("air_pressure", "hPa", (850, 1100), (995, 1020), ("Air pressure", "ความกดอากาศ"), "weather"),
    _p("air_temperature", "Cel", (-20, 60), (20, 38), ("Air temperature", "อุณหภูมิอากาศ"), "weather"),
    _p("dew_point", "Cel", (-60, 40), (15, 28), ("Dew point", "จุดน้ำค้าง"), "weather"),
    _p("humidity", "%", (0, 100), (40, 100), ("Relative humidity", "ความชื้นสัมพัทธ์"), "weather"),
    _p("rain", "mm/h", (0, 500), (0, 60), ("Rain rate", "อัตราฝน"), "weather"),
    _p(
        "solar_radiation",
        "W/m2",
        (0, 1600),
        (0, 1200),
        ("Solar radiation", "รังสีดวงอาทิตย์"),
        "weather",
    ),
    _p("uv_index", "1", (0, 25), (0, 14), ("UV index", "ดัชนีรังสียูวี"), "weather"),
    _p("wind_direction", "deg", (0, 360), (0, 360), ("Wind direction", "ทิศทางลม"), "weather"),
    _p("wind_speed", "m/s", (0, 90), (0, 20), ("Wind speed", "ความเร็วลม"), "weather"),
    # device health
    _p("battery_level", "%", (0, 100), (20, 100), ("Battery", "แบตเตอรี่"), "health"),
    _p("battery_voltage", "V", (0, 15), (3.2, 14), ("Battery voltage", "แรงดันแบตเตอรี่"), "health"),
    _p(
        "device_temperature",
        "Cel",
        (-40, 125),
        (10, 70),
        ("Device temperature", "อุณหภูมิอุปกรณ์"),
        "health",
    ),
    _p("rssi", "dBm", (-150, 0), (-120, -30), ("Signal strength", "ความแรงสัญญาณ"), "health"),
    _p("snr", "dB", (-40, 40), (-20, 15), ("Signal to noise", "อัตราสัญญาณต่อสัญญาณรบกวน"), "health"),
    # anything else
    _p("generic", "1", (-1e12, 1e12), (-1e9, 1e9), ("Any quantity", "ปริมาณใด ๆ"), "other"),
)

CATALOGUE: Mapping[str, Parameter] = MappingProxyType({p.key: p for p in _PARAMETERS})
