/* stdout.h: the sink of standard output, which can be led to another descriptor, by the calling program alone
 * (sl_pipeline_sink_fd). */
#ifndef SL_SINKS_STDOUT_H
#define SL_SINKS_STDOUT_H

/* CONF, prepared, of the sink "stdout": it writes to FD, which stays the caller's. Returns its name, "file descriptor 7", which
 * lives as long as CONF. */
const char *sl_stdout_to(void *conf, int fd);

#endif
