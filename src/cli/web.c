/* web.c: options about the network, for every command that runs a pipeline. Names are those of curl where it has them. */
#include <string.h>

#include "cli/cli.h"

const cli_option cli_web_options[] = {
    {"connections", 0, CLI_REQUIRED, "N", "HTTP transfers at once (default 16)"},
    {"per-host", 0, CLI_REQUIRED, "N", "of them to one host (default 6)"},
    {"header", 'H', CLI_REQUIRED, "'NAME: VALUE'", "HTTP: a header to send; repeatable"},
    {"user", 'u', CLI_REQUIRED, "NAME:PASSWORD", "HTTP: basic authentication"},
    {"bearer", 0, CLI_REQUIRED, "TOKEN", "HTTP: authentication by a token"},
    {"netrc", 0, CLI_FLAG, NULL, "HTTP: name and password from ~/.netrc"},
    {"user-agent", 'A', CLI_REQUIRED, "NAME", "HTTP: who asks (default sluice)"},
    {"retry", 0, CLI_REQUIRED, "N",
     "HTTP: attempts after one that failed in a way that may pass (default 3)"},
    {"retry-max-time", 0, CLI_REQUIRED, "TIME", "HTTP: in which they may begin (default 60s)"},
    {"connect-timeout", 0, CLI_REQUIRED, "TIME", "HTTP: to connect in (default 10s)"},
    {"idle-timeout", 0, CLI_REQUIRED, "TIME", "HTTP: without a byte (default 30s)"},
    {"max-time", 0, CLI_REQUIRED, "TIME", "HTTP: for one attempt as a whole (default 0: any)"},
    {"max-filesize", 0, CLI_REQUIRED, "SIZE", "HTTP: of one answer (default 1G)"},
    {"rate", 0, CLI_REQUIRED, "N/UNIT", "HTTP: requests to one host: 2/s, 30/m, 500/h"},
    {"cacert", 0, CLI_REQUIRED, "FILE", "HTTPS: certificates to trust instead of the system's"},
    {"cert", 0, CLI_REQUIRED, "FILE", "HTTPS: the client's certificate"},
    {"cert-key", 0, CLI_REQUIRED, "FILE", "HTTPS: its private key"},
    {"insecure", 0, CLI_FLAG, NULL, "HTTPS: do not check certificates"},
    {"keep-going", 0, CLI_FLAG, NULL, "leave sources out that cannot be opened or fetched; exit code 3"},
    {"allow-net", 0, CLI_REQUIRED, "CIDR",
     "a network that data may lead to although it is not public; repeatable"},
    {"allow-files", 0, CLI_FLAG, NULL, "data from the network may name files of this machine"},
    {"no-cache", 0, CLI_FLAG, NULL, "HTTP: neither ask about copies of earlier answers nor keep any"},
    {"refresh", 0, CLI_FLAG, NULL, "HTTP: fetch everything anew; copies are replaced"},
    {"cache-dir", 0, CLI_REQUIRED, "DIR",
     "HTTP: where copies are (default $SLUICE_CACHE_DIR, ~/.cache/sluice)"},
    {"cache-size", 0, CLI_REQUIRED, "SIZE", "HTTP: what copies may take together (default 1G)"},
    {"cache-credentials", 0, CLI_FLAG, NULL, "HTTP: also keep answers to requests with credentials"},
    {0},
};

/* The setting that option NAME stands for; NULL: none. */
static const char *setting_of(const char *name) {
    static const char *const settings[][2] = {{"connections", "connections"},
                                              {"per-host", "per_host"},
                                              {"header", "http.headers"},
                                              {"user", "http.user"},
                                              {"bearer", "http.bearer"},
                                              {"netrc", "http.netrc"},
                                              {"user-agent", "http.user_agent"},
                                              {"retry", "http.retries"},
                                              {"retry-max-time", "http.retry_time"},
                                              {"connect-timeout", "http.connect_timeout"},
                                              {"idle-timeout", "http.idle_timeout"},
                                              {"max-time", "http.timeout"},
                                              {"max-filesize", "http.max_body"},
                                              {"rate", "http.rate"},
                                              {"cacert", "http.cacert"},
                                              {"cert", "http.cert"},
                                              {"cert-key", "http.key"},
                                              {"insecure", "http.insecure"},
                                              {"keep-going", "keep_going"},
                                              {"allow-net", "allow_net"},
                                              {"allow-files", "allow_files"},
                                              {"no-cache", "cache"},
                                              {"refresh", "cache"},
                                              {"cache-dir", "cache_dir"},
                                              {"cache-size", "cache_size"},
                                              {"cache-credentials", "cache_credentials"}};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(settings[i][0], name) == 0) return settings[i][1];
    }
    return NULL;
}

/* What G's setting is set to. */
static const char *value_of(const cli_given *g) {
    if (strcmp(g->option->name, "no-cache") == 0) return "false";
    return strcmp(g->option->name, "refresh") == 0 ? "refresh" : g->value;
}

sl_status cli_web_settings(sl_pipeline *p, const cli_args *args, sl_error *err) {
    for (size_t i = 0; i < args->ngiven; i++) {
        const char *setting = setting_of(args->given[i].option->name);
        sl_status s = setting ? sl_pipeline_option(p, setting, value_of(&args->given[i]), err) : SL_OK;
        if (s != SL_OK) return s;
    }
    return SL_OK;
}
