-- The room's sound: what differs from Debian's defaults (its 50-*.lua), before 90-enable-all.lua starts it all.

-- Cameras are the agent's own.
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false

-- There is no session bus, and nobody else who would want a card.
alsa_monitor.properties["alsa.reserve"] = false
alsa_monitor.properties["alsa.midi"] = false
default_access.properties["enable-flatpak-portal"] = false

-- A level that was never set: a safe one to begin with (linear; the cube root is what is shown: 0.125 is 50 %).
device_defaults.properties["default-volume"] = 0.125
device_defaults.properties["default-input-volume"] = 1.0

-- Of a stream nothing is kept: it always goes where the room says, at full level. Levels belong to the devices.
stream_defaults.properties["restore-props"] = false
stream_defaults.properties["restore-target"] = false

-- What stands on a table for talking is heard before what is built into a camera or a screen; the browser's sound
-- never goes out by HDMI unless the profile says so.
local function ranked(pattern, key, value, priority)
  table.insert(alsa_monitor.rules, {
    matches = { { { "node.name", "matches", pattern }, { key, "matches", value } } },
    apply_properties = { ["priority.session"] = priority, ["priority.driver"] = priority },
  })
end

for direction, base in pairs({ alsa_input = 2000, alsa_output = 1000 }) do
  local any = direction .. ".*"
  ranked(any, "node.name", "*usb*", base + 300)
  ranked(any, "node.name", "*hdmi*", base - 500)
end

-- The chosen output (agent/sound_output.py) and the canceller's way to it.
load_script("halsorum-output.lua")

-- Who comes by PulseAudio's protocol, the browser, may play and not listen.
load_script("halsorum-no-listening.lua")
