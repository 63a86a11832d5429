-- driver.lua: what stands between a user's function and the columns of a batch.
--
-- It runs in the user's state, but the user's code cannot reach it: it holds everything in locals, and the environment that code gets
-- is a table of its own. Columns are read and results written through ffi, which the JIT compiler turns into loads and stores: a
-- call of the C interface would end every trace. So a field costs what making its string costs, and one that is not asked for nothing.
--
--     open    compiles the function
--     test    filter: keep[i] for every item
--     values  one result an item, into one column
--     columns results that are maps with the same keys, into columns
--     change  results that are the item itself, with some of its fields set, into columns
--     first   the first result that is not nil, and its place
--     each    any results, handed to C one by one
--     whole   one call with the whole stream
--
-- columns, change and each go on from item `from`, whose result `r` may be there already. columns and change return the place and the
-- result of the first item that does not fit.

local pointer, host, unsafe = ...
local ffi = require 'ffi'
local next, type, tonumber, error, rawget, rawset = next, type, tonumber, error, rawget, rawset
local setmetatable, setfenv, loadstring, ipairs = setmetatable, setfenv, loadstring, ipairs
local getmetatable, newproxy, rawequal, unpack, table_remove = getmetatable, newproxy, rawequal, unpack, table.remove
local getupvalue, getinfo, debug_getmetatable = debug.getupvalue, debug.getinfo, debug.getmetatable
local sort, concat, format = table.sort, table.concat, string.format
local text_of, copy = ffi.string, ffi.copy
local convert, store, take, learn, name_at = host.convert, host.store, host.take, host.learn, host.name_at

ffi.cdef [[
typedef struct { uint8_t type, flags; int16_t aux; uint32_t n; union { bool b; int64_t i; double f; const char *s; } as; } sl_value;
typedef struct sl_lua_frame {
    const uint32_t *rows;
    uint32_t count;
    uint32_t at;
    int32_t left;
    int32_t looks;
    char *bytes;
    uint32_t room;
    uint32_t made;
    bool *keep;
    sl_value *values;
    const sl_value *cell;
    sl_value *out;
    const sl_value *(*column)(struct sl_lua_frame *, const char *name, size_t n);
    sl_value *(*output)(struct sl_lua_frame *, uint32_t number);
    bool (*more)(struct sl_lua_frame *, size_t n);
    bool (*late)(struct sl_lua_frame *);
} sl_lua_frame;
]]

local NULL, BOOL, INT, FLOAT, TEXT = 1, 2, 3, 4, 6 -- of sl_type
local EXACT = 2 ^ 53 -- whole numbers below are exact as doubles, and nothing else becomes one of them
local CHECKS = 1000 -- between two looks at the clock

local frame = ffi.cast('sl_lua_frame *', pointer)
local find_column, find_output, more, late = frame.column, frame.output, frame.more, frame.late
local null = host.null
local call -- the user's function

-- ---- limits

local function check()
  local left = frame.left - 1
  frame.left = left
  if left < 0 and late(frame) then error('timeout', 0) end
end

-- ---- items

local item = {} -- the proxy that the function sees, the same for every item
local cells, asked = {}, 0 -- values of this batch by the name of a field, for every name that was ever asked for
local MOST_NAMES = 1000 -- a function that makes names up does not get slower and slower
local changes, changed = {}, false -- fields the function has set
local removed = {} -- stands for a field set to nil
local last_name, last_text -- the text read last, of this item: `item.a ~= '' and item.a` makes one string

local function ask(name)
  if type(name) ~= 'string' then return nil end
  local column = find_column(frame, name, #name)
  if column == nil then error('column', 0) end
  if not cells[name] then asked = asked + 1 end
  cells[name] = column
  return column
end

local function get(_, name)
  if changed then
    local v = rawget(changes, name)
    if v ~= nil then
      if v == removed then return nil end
      return v
    end
  end
  if name == last_name then return last_text end
  local column = cells[name] or ask(name)
  if not column then return nil end
  local v = column + frame.rows[frame.at]
  local t = v.type
  if t == TEXT then
    local text = text_of(v.as.s, v.n)
    last_name, last_text = name, text
    return text
  end
  if t <= NULL then return nil end
  if t == INT then
    local i = tonumber(v.as.i)
    if i < EXACT and i > -EXACT then return i end
  elseif t == FLOAT then
    return v.as.f
  elseif t == BOOL then
    return v.as.b
  end
  frame.cell = v
  return convert()
end

local function set(_, name, value)
  if type(name) ~= 'string' then error('a field has a text as its name, not a ' .. type(name), 2) end
  changed = true
  if value == nil then value = removed end
  rawset(changes, name, value)
end

setmetatable(item, { __index = get, __newindex = set, __metatable = false })

local function start(i)
  frame.at = i
  frame.left = CHECKS
  frame.looks = 0
  last_name, last_text = nil, nil
  if changed then
    for name in next, changes do changes[name] = nil end
    changed = false
  end
end

-- The columns of a new batch for all names asked for so far. The old ones are gone.
local function fetch()
  local forget = asked > MOST_NAMES
  for name in next, cells do
    if forget then cells[name] = nil else ask(name) end
  end
  if forget then asked = 0 end
end

-- ---- results

-- TO becomes a text of N bytes, which `add` then brings.
local function open_text(to, n)
  if n > frame.room and not more(frame, n) then error('memory', 0) end
  to.type = TEXT
  to.n = n
  to.as.s = frame.bytes
end

local function add(from, n)
  local bytes = frame.bytes
  copy(bytes, from, n)
  frame.bytes = bytes + n
  frame.room = frame.room - n
end

local function put(to, v)
  local t = type(v)
  if t == 'number' then
    if v % 1 == 0 and v <= EXACT and v >= -EXACT then
      to.type = INT
      to.as.i = v
    else
      to.type = FLOAT
      to.as.f = v
    end
  elseif t == 'string' then
    open_text(to, #v)
    add(v, #v)
  elseif t == 'boolean' then
    to.type = BOOL
    to.as.b = v
  else
    frame.out = to
    store(v)
  end
end

local outputs, width = {}, 0 -- where results go, by key

local function shape(n)
  for key in next, outputs do outputs[key] = nil end
  for k = 1, n do outputs[name_at(k - 1)] = find_output(frame, k - 1) end
  width = n
end

-- Texts made of fields (rows.h) go from columns to a column, and no string of them is made.
local TEXTS = {} -- stands for such a text, as it was at that moment
local LONGEST = 2 ^ 20 -- of one; with more it is made a string, which counts as memory of the function's
local texts = {} -- functions that give TEXTS for one, or false where it has to be a string

local function cell(name)
  return (cells[name] or ask(name)) + frame.rows[frame.at]
end

local function length(name)
  if changed then return LONGEST + 1 end
  local v = cell(name)
  if v.type == TEXT then return v.n end
  return LONGEST + 1
end

local function add_cell(name)
  local v = cell(name)
  add(v.as.s, v.n)
end

local function string_of(name)
  local v = cell(name)
  return text_of(v.as.s, v.n)
end

-- Constructors that are results (rows.h): a function for each, made for its keys. While it is aimed its arguments go into columns and
-- DONE says so; a nil among them, which a table would not hold, takes the table's way.
local DONE = {}
local rows, aims = {}, {} -- by the number of the constructor: what the user's code calls, and what aims that

local ROW = [[
local put, open_text, add, add_cell, cell, length, string_of, frame, DONE, TEXTS, LONGEST = ...
local aimed, %s = false
local function row(%s)
  if aimed and %s then
    local made = frame.made
    %s
    return DONE
  end
  return { %s }
end
local function aim(outputs, width)
  %s = %s
  aimed = width == %d and %s
end
return row, aim, { %s }]]

-- LITERAL for each of PIECES that is one, FIELD for the others, which are names of fields, with @ for the piece.
local function for_pieces(pieces, between, field, literal)
  local parts = {}
  for i, piece in ipairs(pieces) do
    local code = piece:find('^["\'%[]') and literal or field
    parts[i] = code:gsub('@', function() return piece end)
  end
  return concat(parts, between)
end

local function text_code(pieces)
  return {
    lengths = for_pieces(pieces, ' + ', 'length("@")', '#@'),
    sizes = for_pieces(pieces, ' + ', 'cell("@").n', '#@'),
    adds = for_pieces(pieces, ' ', 'add_cell("@")', 'add(@, #@)'),
    string = for_pieces(pieces, ' .. ', 'string_of("@")', '@'),
  }
end

-- PATTERN for each of KEYS, with # for its number and @ for it. For one whose value is a text made of fields OF_TEXT takes its place, if
-- given, with $adds ... for the code of that text.
local function for_each(keys, between, pattern, of_text)
  local parts = {}
  for k, key in ipairs(keys) do
    local pieces = keys.texts[k]
    local code = pieces and of_text or pattern
    code = code:gsub('#', k):gsub('@', key)
    if pieces then code = code:gsub('%$(%a+)', text_code(pieces)) end
    if code ~= '' then parts[#parts + 1] = code end
  end
  return concat(parts, between)
end

local function make_row(keys)
  local code = format(ROW, for_each(keys, ', ', 'o#'), for_each(keys, ', ', 'v#'), for_each(keys, ' and ', 'v# ~= nil'),
    for_each(keys, ' ', 'put(o# + made, v#)', 'if v# == TEXTS then open_text(o# + made, $sizes) $adds else put(o# + made, v#) end'),
    for_each(keys, ', ', '@ = v#', '@ = v# == TEXTS and $string or v#'),
    for_each(keys, ', ', 'o#'), for_each(keys, ', ', 'outputs["@"]'), #keys, for_each(keys, ' and ', 'o# ~= nil'),
    for_each(keys, ', ', '', 'function() return aimed and $lengths <= LONGEST and TEXTS end'))
  return loadstring(code, '=row')(put, open_text, add, add_cell, cell, length, string_of, frame, DONE, TEXTS, LONGEST)
end

local function make_rows(constructors)
  for i, keys in ipairs(constructors) do
    local made
    rows[i], aims[i], made = make_row(keys)
    for _, text in ipairs(made) do texts[#texts + 1] = text end
  end
end

local function aim_rows(to, n)
  for i = 1, #aims do aims[i](to, n) end
end

-- ---- loops over a batch

local function test()
  local keep = frame.keep
  fetch()
  for i = 0, frame.count - 1 do
    start(i)
    keep[i] = call(item) and true or false
  end
end

local function values()
  local to = frame.values
  fetch()
  for i = 0, frame.count - 1 do
    start(i)
    local r = call(item)
    if r ~= nil then put(to + frame.rows[i], r) end
  end
end

-- The first result there is: what it looks like is what the others are taken to look like.
local function first()
  aim_rows({}, 0)
  fetch()
  for i = 0, frame.count - 1 do
    start(i)
    local r = call(item)
    if r ~= nil then
      learn(r)
      return i, r
    end
  end
  return frame.count
end

local function fill(from, r)
  local made = frame.made
  if r == nil then fetch() end
  for i = from, frame.count - 1 do
    if r == nil then
      start(i)
      r = call(item)
    end
    if r == DONE then
      made = made + 1
      frame.made = made
      r = nil
    elseif r ~= nil then
      if type(r) ~= 'table' or r == item then return i, r end
      local seen = 0
      for key, v in next, r do
        local to = outputs[key]
        if not to then return i, r end
        put(to + made, v)
        seen = seen + 1
      end
      if seen ~= width then return i, r end
      made = made + 1
      frame.made = made
      r = nil
    end
  end
  return frame.count
end

local function columns(from, r, n)
  shape(n)
  aim_rows(outputs, n)
  local i, other = fill(from, r)
  aim_rows({}, 0)
  return i, other
end

local function change(from, r, n)
  local keep = frame.keep
  for i = 0, from - 1 do keep[i] = false end
  shape(n)
  if r == nil then fetch() end
  for i = from, frame.count - 1 do
    if r == nil then
      start(i)
      r = call(item)
    end
    keep[i] = r ~= nil
    if r ~= nil then
      if r ~= item then return i, r end
      local seen, row = 0, frame.rows[i]
      for key, v in next, changes do
        local to = outputs[key]
        if not to or v == removed then return i, r end
        put(to + row, v)
        seen = seen + 1
      end
      if seen ~= width then return i, r end
      r = nil
    end
  end
  return frame.count
end

local function each(from, r)
  if r == nil then fetch() end
  for i = from, frame.count - 1 do
    if r == nil then
      start(i)
      r = call(item)
    end
    if r ~= nil then take(r) end
    r = nil
  end
end

-- ---- the environment of the user's code

-- Keys in an order that is the same in every state: numbers, then texts; those of an item as they stand in it.
local function before(a, b)
  if type(a) == type(b) then
    if type(a) == 'number' or type(a) == 'string' then return a < b end
    return false
  end
  return type(a) == 'number' or (type(a) == 'string' and type(b) ~= 'number')
end

local function keys_of(t)
  local keys, n = {}, 0
  if t == item then return host.keys() end
  for key in next, t do
    n = n + 1
    keys[n] = key
  end
  sort(keys, before)
  return keys
end

local function pairs_in_order(t)
  if type(t) ~= 'table' then error("bad argument #1 to 'pairs' (table expected, got " .. type(t) .. ')', 2) end
  local keys, i = keys_of(t), 0
  return function()
    while true do
      i = i + 1
      local key = keys[i]
      if key == nil then return nil end
      local v = t[key]
      if v ~= nil then return key, v end
    end
  end
end

-- A field on one side of < or > whose other side is a number: no number fulfils nothing.
local NAN = 0 / 0
local function number(v)
  return tonumber(v) or NAN
end

local list_mark = host.list_mark

local function list(t)
  return setmetatable(t or {}, list_mark)
end

local function copied(from, without)
  local to = {}
  for name, v in next, from do
    if not without[name] then to[name] = v end
  end
  return to
end

local known = {} -- values that do not change, or are ours
local function know(t)
  for _, v in next, t do known[v] = true end
end

local seals = {} -- the functions of each sealed library
local loading = true -- the user's text is run once, before its function is called

-- A library as the user's code sees it: no table, so that nothing gets into it, by rawset or table.insert either. Only while a file is
-- loaded it may add to it.
local function sealed(name, functions)
  local proxy = newproxy(true)
  local meta = getmetatable(proxy)
  know(functions)
  known[proxy] = true
  seals[name] = functions
  meta.__index = functions
  meta.__newindex = function(_, key, v)
    if not loading then
      error("the function may not set '" .. name .. '.' .. tostring(key) ..
        "': which items a worker gets is not known, so nothing may be left for the next call", 2)
    end
    functions[key] = v
  end
  meta.__metatable = false
  return proxy
end

local function safe_library()
  string.dump = nil
  getmetatable('').__metatable = false
  local g = {
    string = sealed('string', copied(string, {})), table = sealed('table', copied(table, {})), bit = sealed('bit', copied(bit, {})),
    math = sealed('math', copied(math, { random = true, randomseed = true })),
    coroutine = sealed('coroutine', copied(coroutine, {})),
  }
  for _, name in ipairs { 'assert', 'error', 'getmetatable', 'ipairs', 'next', 'pcall', 'rawequal', 'rawget', 'rawset', 'select',
    'setmetatable', 'tonumber', 'tostring', 'type', 'unpack', 'xpcall', '_VERSION' } do
    g[name] = _G[name]
  end
  return g
end

local library = unsafe and copied(_G, {}) or safe_library()
library.pairs, library.null, library.list, library._G = pairs_in_order, null, list, nil

-- ---- what lives longer than a call

-- Each worker has a state of its own, and which items it gets is not known: what one call leaves behind for the next would make the result
-- depend on the pool. So whatever the function reaches beside its item and its own locals (upvalues, globals of a file, what those lead to)
-- is noted when it is loaded, and is held against that behind every batch.
local tables, functions = {}, {} -- notes, by table and by function
local waiting = {} -- values not noted yet, each with the name it is known by

local function wait(v, name)
  local t = type(v)
  if v == nil or known[v] then return end
  if t == 'table' or t == 'function' or t == 'thread' or t == 'userdata' or t == 'cdata' then
    waiting[#waiting + 1] = { v, name }
  end
end

local function note_table(t, name)
  if tables[t] then return end
  local copy, n, meta = {}, 0, debug_getmetatable(t)
  for key, v in next, t do
    copy[key] = v
    n = n + 1
    wait(key, name)
    wait(v, name)
  end
  wait(meta, name)
  tables[t] = { copy = copy, n = n, meta = meta, name = name }
end

local function note_function(f, name)
  if functions[f] then return end
  local values, n = {}, 0
  for i = 1, 255 do
    local upvalue, v = getupvalue(f, i)
    if not upvalue then break end
    values[i], n = v, i
    wait(v, upvalue ~= '' and upvalue or name)
  end
  functions[f] = { values = values, n = n }
end

-- What cannot be looked into: an iterator of string.gmatch, a coroutine.
local function refuse(name)
  if unsafe then return end
  error("'" .. name .. "' holds a coroutine or an iterator, which would go on from call to call: make it in the function", 0)
end

local function note_all()
  while #waiting > 0 do
    local v, name = unpack(table_remove(waiting))
    local t = type(v)
    if t == 'table' then
      note_table(v, name)
    elseif t ~= 'function' or getinfo(v, 'S').what == 'C' then
      refuse(name)
    else
      note_function(v, name)
    end
  end
end

local function same(a, b)
  return rawequal(a, b) or (a ~= a and b ~= b)
end

local function table_changed(t, note)
  local n = 0
  for key, v in next, t do
    if not same(note.copy[key], v) then return true end
    n = n + 1
  end
  return n ~= note.n or debug_getmetatable(t) ~= note.meta
end

local function find_changed()
  if next(item) ~= nil then return 'item', ', by rawset' end
  for t, note in next, tables do
    if table_changed(t, note) then return note.name, '' end
  end
  for f, note in next, functions do
    for i = 1, note.n do
      local name, v = getupvalue(f, i)
      if not same(note.values[i], v) then return name, '' end
    end
  end
end

-- ENDING, a loop over a batch, with that look behind it.
local function looked_after(ending)
  return function(...)
    local a, b = ending(...)
    local name, how = find_changed()
    if not name then return a, b end
    frame.at = frame.count
    error("the function changes '" .. name .. "'" .. how ..
      ', which lives longer than a call: which items a worker gets is not known, so nothing may be left for the next call', 0)
  end
end

-- GLOBALS: those that a file has made.
local function note_reachable(f, globals)
  know { check, number, rows, texts, item, null, list_mark, list, pairs_in_order, package, package.loaded }
  know(rows)
  know(texts)
  for name, v in next, library do
    if globals[name] or (unsafe and type(v) == 'table') then wait(v, name) else known[v] = true end
  end
  for name, functions in next, seals do
    for _, v in next, functions do wait(v, name) end
  end
  wait(f, 'function')
  note_all()
end

local function field_or_global(_, name)
  local v = get(nil, name)
  if v == nil then return library[name] end
  return v
end

local function no_global(_, name)
  error("the function may not set the global '" .. tostring(name) ..
    "': which items a worker gets is not known; write 'local " .. tostring(name) .. "'", 2)
end

local function compile(code, chunk, environment)
  local f, message = loadstring(code, chunk)
  if not f then error(message, 0) end
  return setfenv(f, environment)(check, number, rows, texts)
end

-- What the text of a file makes global is the library of its functions.
local function from_file(code, chunk, name)
  local environment = setmetatable({}, { __index = library })
  local found = compile(code, chunk, environment)
  if name then
    if type(found) == 'table' then found = found[name] else found = rawget(environment, name) end
    if type(found) ~= 'function' then error("there is no function '" .. name .. "'", 0) end
  elseif type(found) ~= 'function' then
    error("name its function by 'function', or let it return one", 0)
  end
  local globals = {}
  for key, v in next, environment do
    library[key] = v
    globals[key] = v
    environment[key] = nil
  end
  setmetatable(environment, { __index = library, __newindex = no_global, __metatable = false })
  return found, globals
end

local function open(code, chunk, is_file, name, fields, constructors)
  make_rows(constructors)
  frame.left = CHECKS
  frame.looks = 0
  local globals = {}
  if is_file then
    call, globals = from_file(code, chunk, name)
  else
    local index = fields and field_or_global or library
    call = compile(code, chunk, setmetatable({}, { __index = index, __newindex = no_global, __metatable = false }))
  end
  loading = false
  note_reachable(call, globals)
end

local function whole(items)
  frame.left = CHECKS
  frame.looks = 0
  take(call(items))
end

host.item, host.changes, host.removed = item, changes, removed
return { open = open, shape = shape, test = looked_after(test), values = looked_after(values), first = looked_after(first),
  columns = looked_after(columns), change = looked_after(change), each = looked_after(each), whole = looked_after(whole) }
