-- The browser plays and does not record, whatever its page asks for: a stream that would record through PulseAudio's
-- protocol is taken away before it is linked to anything.

local recorders = ObjectManager {
  Interest {
    type = "node",
    Constraint { "media.class", "=", "Stream/Input/Audio", type = "pw-global" },
    Constraint { "client.api", "=", "pipewire-pulse", type = "pw" },
  },
}

recorders:connect("object-added", function(_, node)
  Log.warning(node, "somebody tried to record through PulseAudio's protocol, and may not")
  node:request_destroy()
end)
recorders:activate()
