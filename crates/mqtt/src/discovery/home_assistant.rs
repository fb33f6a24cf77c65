//! What Home Assistant takes: facts of its release 2026.2.3 (the package `homeassistant` of PyPI, Apache-2.0), each with the file
//! that has it. All are of the folder `homeassistant/components` there.
//!
//! A key that a schema does not name is dropped without a word (`extra=REMOVE_EXTRA`), so a slip of the pen costs what it was for.

/// `sensor/const.py`, DEVICE_CLASS_UNITS and DEVICE_CLASS_STATE_CLASSES: classes of what a UPS measures, their units and the state
/// classes that they may have. `duration` has more than one, of which a UPS measures none.
pub const SENSOR_CLASSES: &[(&str, &[&str], &[&str])] = &[
    ("apparent_power", &["mVA", "VA", "kVA"], &["measurement"]),
    ("battery", &["%"], &["measurement"]),
    ("current", &["mA", "A"], &["measurement"]),
    ("duration", &["d", "h", "min", "s", "ms", "\u{3bc}s"], &["measurement", "total", "total_increasing"]),
    ("frequency", &["Hz", "kHz", "MHz", "GHz"], &["measurement"]),
    ("humidity", &["%"], &["measurement"]),
    ("power", &["mW", "W", "kW", "MW", "GW", "TW"], &["measurement"]),
    ("temperature", &["\u{b0}C", "\u{b0}F", "K"], &["measurement"]),
    ("voltage", &["\u{3bc}V", "mV", "V", "kV", "MV"], &["measurement"]),
];

/// `binary_sensor/__init__.py`, BinarySensorDeviceClass.
pub const BINARY_CLASSES: &[&str] = &[
    "battery",
    "battery_charging",
    "carbon_monoxide",
    "cold",
    "connectivity",
    "door",
    "garage_door",
    "gas",
    "heat",
    "light",
    "lock",
    "moisture",
    "motion",
    "moving",
    "occupancy",
    "opening",
    "plug",
    "power",
    "presence",
    "problem",
    "running",
    "safety",
    "smoke",
    "sound",
    "tamper",
    "update",
    "vibration",
    "window",
];

/// `mqtt/schemas.py`, DEVICE_DISCOVERY_SCHEMA: keys at the top, of which the first three have to be there.
pub const MESSAGE_KEYS: &[&str] = &[
    "device",
    "components",
    "origin",
    "state_topic",
    "command_topic",
    "qos",
    "encoding",
    "availability",
    "availability_mode",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
];

/// `mqtt/schemas.py`, MQTT_ENTITY_DEVICE_INFO_SCHEMA; identifiers or connections have to be there.
pub const DEVICE_KEYS: &[&str] = &[
    "identifiers",
    "connections",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "hw_version",
    "serial_number",
    "sw_version",
    "via_device",
    "suggested_area",
    "configuration_url",
];

/// `mqtt/schemas.py`, MQTT_ORIGIN_INFO_SCHEMA; the first has to be there.
pub const ORIGIN_KEYS: &[&str] = &["name", "sw_version", "support_url"];

/// `mqtt/schemas.py`, _MQTT_AVAILABILITY_LIST_SCHEMA: keys of one entry, of which the first has to be there; what a payload is where
/// it is not said (`mqtt/const.py`, DEFAULT_PAYLOAD_AVAILABLE and the other); modes.
pub const AVAILABILITY_KEYS: &[&str] =
    &["topic", "payload_available", "payload_not_available", "value_template"];
pub const AVAILABILITY_MODES: &[&str] = &["all", "any", "latest"];

/// `mqtt/schemas.py`, MQTT_ENTITY_COMMON_SCHEMA, and `mqtt/config.py`, MQTT_BASE_SCHEMA: keys of each component; `platform` besides.
pub const COMMON_KEYS: &[&str] = &[
    "platform",
    "name",
    "unique_id",
    "device_class",
    "enabled_by_default",
    "entity_category",
    "entity_picture",
    "icon",
    "json_attributes_topic",
    "json_attributes_template",
    "default_entity_id",
    "object_id",
    "qos",
    "encoding",
];

/// `mqtt/sensor.py`, `mqtt/binary_sensor.py` and `mqtt/button.py`, DISCOVERY_SCHEMA: further keys of a platform, of which the first
/// has to be there.
pub const PLATFORM_KEYS: &[(&str, &[&str])] = &[
    (
        "sensor",
        &[
            "state_topic",
            "value_template",
            "expire_after",
            "force_update",
            "last_reset_value_template",
            "options",
            "suggested_display_precision",
            "state_class",
            "unit_of_measurement",
        ],
    ),
    (
        "binary_sensor",
        &[
            "state_topic",
            "value_template",
            "expire_after",
            "force_update",
            "off_delay",
            "payload_off",
            "payload_on",
        ],
    ),
    ("button", &["command_topic", "command_template", "payload_press", "retain"]),
];
