-- Which output the room is heard from: the agent sets "halsorum.output" (subject 0, a node's name as JSON) in PipeWire's
-- default metadata, and what the canceller plays is sent there. By name, so that an output that was unplugged and is
-- plugged in again is taken again; meanwhile WirePlumber plays to the best that is left.
-- The choice is kept in the state folder, since the metadata goes with the daemon.

local PLAYBACK = "echo-cancel-playback"
local KEY = "halsorum.output"

local state = State("halsorum-output")
local kept = state:load()

-- Global: what only locals hold, Lua may collect once this chunk has run.
playback = ObjectManager { Interest { type = "node", Constraint { "node.name", "=", PLAYBACK, type = "pw" } } }
metadatas = ObjectManager {
  Interest { type = "metadata", Constraint { "metadata.name", "=", "default" } },
}

local function aim()
  local metadata = metadatas:lookup()
  local output = kept["output"]
  if not metadata or not output then
    return
  end
  for node in playback:iterate() do
    metadata:set(node["bound-id"], "target.object", "Spa:String", output)
  end
end

local function name_in(value)
  local json = value and Json.Raw(value)
  local parsed = json and json:is_object() and json:parse()
  return parsed and parsed["name"]
end

local function changed(_, subject, key, _, value)
  local name = key == KEY and subject == 0 and name_in(value)
  if not name or name == kept["output"] then
    return
  end
  kept["output"] = name
  local saved, why = state:save(kept)
  if not saved then
    Log.warning("the chosen output is not kept: " .. tostring(why))
  end
  aim()
end

metadatas:connect("object-added", function(_, metadata)
  metadata:connect("changed", changed)
  aim()
end)
playback:connect("object-added", aim)
metadatas:activate()
playback:activate()
