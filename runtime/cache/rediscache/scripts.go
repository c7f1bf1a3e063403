package rediscache

import "github.com/redis/go-redis/v9"

// An entry is a hash: v the value, f its format, n the number of a counter, s the
// moment from which it is stale, g its tags, t the token of its write, l and u the
// token of a lease and until when it holds. Moments are the server's, in
// milliseconds. A tag is a set of keys; what of it is out of date does no harm:
// an entry is removed by a tag only when it names it.
//
// Redis runs a script as a whole, between other commands: each of these is one
// step of the cache.

// put: KEYS entry; ARGV value format number life fresh tags token prefix mode
// lease. mode is put, add, count, fill or lease.
var write = redis.NewScript(`
local key, mode, lease = KEYS[1], ARGV[9], ARGV[10]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local format = redis.call('HGET', key, 'f')
local void = not format or format == 'lease' or format == 'none'
local fresh = 0
if mode == 'add' and not void then return 0 end
if mode == 'count' and not void then
  if format ~= 'int' then return redis.error_reply('NOTNUMBER') end
  return redis.call('HINCRBY', key, 'n', ARGV[3])
end
if mode == 'fill' and redis.call('HGET', key, 'l') ~= lease then return 0 end
if mode == 'lease' then
  local held = tonumber(redis.call('HGET', key, 'u') or '0')
  if held > now then return 0 end
  if format then
    redis.call('HSET', key, 'l', lease, 'u', now + ARGV[4], 'g', ARGV[6] .. (redis.call('HGET', key, 'g') or ''))
    if format == 'lease' then redis.call('PEXPIRE', key, ARGV[4]) end
    fresh = 1
  else
    redis.call('HSET', key, 'f', 'lease', 'v', '', 'l', lease, 'u', now + ARGV[4], 'g', ARGV[6])
    redis.call('PEXPIRE', key, ARGV[4])
    fresh = 2
  end
else
  redis.call('DEL', key)
  redis.call('HSET', key, 'v', ARGV[1], 'f', ARGV[2], 'n', ARGV[3], 'g', ARGV[6], 't', ARGV[7])
  if ARGV[5] ~= '' then redis.call('HSET', key, 's', now + ARGV[5]) end
  if ARGV[4] ~= '' then redis.call('PEXPIRE', key, ARGV[4]) end
  fresh = 1
end
for i = 11, #ARGV do
  local tag = ARGV[8] .. ARGV[i]
  redis.call('SADD', tag, key)
  if ARGV[4] == '' then
    redis.call('PERSIST', tag)
  else
    local left = redis.call('PTTL', tag)
    if left ~= -1 or redis.call('SCARD', tag) == 1 then redis.call('PEXPIRE', tag, math.max(left, ARGV[4] + 60000)) end
  end
end
if mode == 'count' then return tonumber(ARGV[3]) end
return fresh
`)

// touch: KEYS entry; ARGV life fresh, and the value that the entry must have and
// the one that it gets, where there are these; -1 when it has another.
var touch = redis.NewScript(`
local format = redis.call('HGET', KEYS[1], 'f')
if not format or format == 'lease' then return 0 end
if ARGV[3] then
  if redis.call('HGET', KEYS[1], 'v') ~= ARGV[3] then return -1 end
  redis.call('HSET', KEYS[1], 'v', ARGV[4])
end
local time = redis.call('TIME')
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], 's')
else redis.call('HSET', KEYS[1], 's', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]) end
if ARGV[1] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`)

// hold: KEYS entry; ARGV lease, milliseconds; renews a lease, or ends it with 0.
var hold = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'l') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'u', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2])
if redis.call('HGET', KEYS[1], 'f') == 'lease' then
  if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
end
return 1
`)

// untag: KEYS tag; ARGV the tag between two marks, entries at most. It gives the
// keys that it removed, and, first, whether there may be more.
var untag = redis.NewScript(`
local keys = redis.call('SPOP', KEYS[1], ARGV[2])
local gone = {}
for _, key in ipairs(keys) do
  local tags = redis.call('HGET', key, 'g')
  if tags and string.find(tags, ARGV[1], 1, true) then
    redis.call('DEL', key)
    gone[#gone + 1] = key
  end
end
return {#keys == tonumber(ARGV[2]) and 1 or 0, gone}
`)
