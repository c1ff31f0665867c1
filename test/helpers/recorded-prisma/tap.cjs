// Loaded before the real CLI: tells on descriptor 3 what is written to which stream, in order.
const { writeSync } = require('node:fs')

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
