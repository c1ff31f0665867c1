// Loaded before the real CLI: tells on descriptor 3 what is written to which stream, in order.
const { writeSync } = require('node:fs')

delete process.env.NODE_OPTIONS // an engine that it starts has no such descriptor

for (const [name, stream] of [
  ['out', process.stdout],
  ['err', process.stderr],
]) {
  const write = stream.write.bind(stream)
  stream.write = (chunk, ...rest) => {
    writeSync(3, `${JSON.stringify([name, String(chunk)])}\n`)
    return write(chunk, ...rest)
  }
}
