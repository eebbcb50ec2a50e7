/* Between store_query and the process it starts. Private to this folder.
 *
 * monomi query-worker FORMAT WIDTH MEMORY DISK THREADS SECONDS DB TEMPORARY QUERY [NAME VALUE]…
 * Descriptor 1 takes the result, 3 an error: its code, a zero byte, its sentence. Both sides are one program, so the form
 * has no version. WORKER_AGAIN: a file was gone because another commit has replaced it meanwhile, and nothing has been
 * answered yet. */
#pragma once

enum { WORKER_OUT = 1, WORKER_REPORT = 3, WORKER_SIMULATED = 3, WORKER_AGAIN = 4, WORKER_BROKEN = 70,
       WORKER_ARGUMENTS = 11 };
