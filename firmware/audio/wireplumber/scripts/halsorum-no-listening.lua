-- The browser plays and does not record, whatever its page asks for: a stream that would record and comes by
-- PulseAudio's protocol is taken away at once.

-- Global: what only locals hold, Lua collects once this chunk has run.
recorders = ObjectManager {
  Interest { type = "node", Constraint { "media.class", "=", "Stream/Input/Audio", type = "pw-global" } },
}

recorders:connect("object-added", function(_, node)
  if node.properties["client.api"] == "pipewire-pulse" then
    Log.warning(node, "somebody tried to record through PulseAudio's protocol, and may not")
    node:request_destroy()
  end
end)
recorders:activate()
