"""A rule of every kind over the devices of `tests.world`, with all that rules may ask for."""

RULES = """
rules:
  - {id: bin-full, kind: threshold, name: {en: Full, th: เต็ม}, parameter: fill_level,
     above: {warning: 80, critical: 95}, clear: 60, flap: {times: 2, within: 1h},
     stale_after: 10m, storm: 1}
  - {id: haze, kind: threshold, name: {en: Haze, th: ฝุ่น}, parameter: pm25, storm: 1,
     above: {warning: 37.5}, clear: 30, for: 5m, clear_for: 5m, stale_after: 15m}
  - {id: low-oxygen, kind: threshold, name: {en: Oxygen, th: ออกซิเจน},
     parameter: dissolved_oxygen, outside: {warning: [4, 9], critical: [2, 10]},
     clear: [4.5, 8], clear_for: 2m, overrides: {patong: {outside: {warning: [3.5, 9]},
     clear: [4, 8]}}}
  - {id: haze-at-night, kind: threshold, name: {en: Night, th: กลางคืน}, parameter: pm25,
     above: {info: 30, warning: 37.5}, when: {hours: ["01:00-01:30", "02:00-03:00"]},
     flags: [good, not-evaluated, suspect, fail], stale_after: 20m}
  - {id: haze-grows, kind: rate, name: {en: Grows, th: เพิ่ม}, parameter: pm25, per: hour,
     window: 30m, above: {warning: 20, critical: 60}, clear: 10, for: 1m, stale_after: 30m}
  - {id: often-full, kind: count, name: {en: Often, th: บ่อย}, parameter: fill_level,
     breach: {above: 80}, times: {info: 2, warning: 3}, of: 4, clear: 0}
  - {id: short-of-air, kind: count, name: {en: Short, th: น้อย}, parameter: dissolved_oxygen,
     breach: {below: 4}, times: {warning: 2}, within: 10m, clear_for: 5m}
  - {id: flagged, kind: fault, name: {en: Flagged, th: สงสัย}, times: {info: 1, warning: 2}, of: 3,
     clear: 0}
  - {id: silent, kind: missing, name: {en: Silent, th: เงียบ}, every: 10m,
     above: {info: 2, critical: 4}, clear_for: 1m}
  - {id: gateway-silent, kind: missing, of: gateway, name: {en: Gone, th: หาย}, every: 5m,
     above: {warning: 2}, for: 2m, when: {hours: "01:00-04:00"}}
  - {id: something, kind: composite, name: {en: Some, th: บาง}, of: [bin-full, haze, silent],
     need: any, over: city, flap: {times: 2, within: 30m}}
  - {id: many-sites, kind: composite, name: {en: Many, th: มาก}, need: 2, over: city,
     of: [silent, low-oxygen, haze], for: 3m, clear_for: 1m, severity: critical}
  - {id: both, kind: composite, name: {en: Both, th: ทั้งสอง}, of: [often-full, bin-full],
     need: all, over: device}
  - {id: of-composites, kind: composite, name: {en: Top, th: บน}, of: [both, many-sites],
     need: any, over: city, when: {hours: "00:00-02:00"}}
"""
