import { createLog } from './log.ts';
import { type Log, reasonOf } from './orders.ts';
import { startService } from './service.ts';
import { readSettings, type Settings } from './settings.ts';

/** ECS kills after 30 seconds; what hangs for that long is better ended with a line in the log. */
const STOP_LIMIT_MS = 25_000;

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (error) {
    process.stderr.write(`orders-api: ${reasonOf(error)}\n`);
    process.exit(2);
  }
}

function endWith(log: Log, message: string): never {
  log('error', { message });
  process.exit(1);
}

const settings = settingsOrExit();
const log = createLog(settings.identity);
process.once('uncaughtException', (error) => endWith(log, reasonOf(error)));
const service = await startService(settings, log);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    setTimeout(() => endWith(log, `still not stopped after ${STOP_LIMIT_MS} ms`), STOP_LIMIT_MS).unref();
    void service.stop();
  });
}
