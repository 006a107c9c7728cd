# bash completion for auditctl, generated from its command tree: do not edit
_auditctl() {
  local cur prev word path i
  COMPREPLY=()
  cur="${COMP_WORDS[COMP_CWORD]}"
  prev="${COMP_WORDS[COMP_CWORD-1]}"
  # --stream=soc is three words for bash
  if [[ "$cur" == "=" ]]; then cur=""; elif [[ "$prev" == "=" ]]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi
  path=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    case "$path $word" in
      " query") path="query" ;;
      " export") path="export" ;;
      " verify") path="verify" ;;
      " trail") path="trail" ;;
      "trail secret") path="trail secret" ;;
      "trail identity") path="trail identity" ;;
      "trail entity") path="trail entity" ;;
      "trail request") path="trail request" ;;
      "trail trace") path="trail trace" ;;
      " summary") path="summary" ;;
      " gaps") path="gaps" ;;
      " backfill") path="backfill" ;;
      " runs") path="runs" ;;
      "runs list") path="runs list" ;;
      "runs show") path="runs show" ;;
      "runs resume") path="runs resume" ;;
      "runs rejects") path="runs rejects" ;;
      "runs resend") path="runs resend" ;;
      "runs prune") path="runs prune" ;;
      " remote-export") path="remote-export" ;;
      "remote-export create") path="remote-export create" ;;
      "remote-export status") path="remote-export status" ;;
      "remote-export list") path="remote-export list" ;;
      " source") path="source" ;;
      "source add") path="source add" ;;
      "source list") path="source list" ;;
      "source show") path="source show" ;;
      "source test") path="source test" ;;
      "source remove") path="source remove" ;;
      "source types") path="source types" ;;
      " stream") path="stream" ;;
      "stream add") path="stream add" ;;
      "stream list") path="stream list" ;;
      "stream show") path="stream show" ;;
      "stream test") path="stream test" ;;
      "stream remove") path="stream remove" ;;
      "stream types") path="stream types" ;;
      "stream guide") path="stream guide" ;;
      "stream import") path="stream import" ;;
      " config") path="config" ;;
      "config path") path="config path" ;;
      "config validate") path="config validate" ;;
      "config show") path="config show" ;;
      "config get") path="config get" ;;
      "config set") path="config set" ;;
      " status") path="status" ;;
      " doctor") path="doctor" ;;
      " browse") path="browse" ;;
      " sandbox") path="sandbox" ;;
      " demo") path="demo" ;;
      " completion") path="completion" ;;
    esac
  done
  case "$prev" in
    --source) COMPREPLY=($(compgen -W "$(auditctl __complete source 2>/dev/null)" -- "$cur")); return ;;
    --config) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'table json jsonl csv' -- "$cur")); return ;;
    --shape) COMPREPLY=($(compgen -W 'native stream common' -- "$cur")); return ;;
    --settle) COMPREPLY=(); return ;;
    --concurrency) COMPREPLY=(); return ;;
    --max-rate) COMPREPLY=(); return ;;
    --timeout) COMPREPLY=(); return ;;
    --retries) COMPREPLY=(); return ;;
    --deadline) COMPREPLY=(); return ;;
    --log-format) COMPREPLY=($(compgen -W 'text json' -- "$cur")); return ;;
    --tz) COMPREPLY=(); return ;;
    --time) COMPREPLY=($(compgen -W 'utc local relative' -- "$cur")); return ;;
    --metrics-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$path" in
    "query")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        -n|--limit) COMPREPLY=(); return ;;
        --order) COMPREPLY=($(compgen -W 'asc desc' -- "$cur")); return ;;
        --sort) COMPREPLY=(); return ;;
        --fields) COMPREPLY=(); return ;;
        --cursor) COMPREPLY=(); return ;;
        --interval) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --limit --order --sort --fields --cursor --follow --interval --no-csv-guard --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "export")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --format) COMPREPLY=($(compgen -W 'jsonl csv' -- "$cur")); return ;;
        --fields) COMPREPLY=(); return ;;
        --out) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --compress) COMPREPLY=($(compgen -W 'gzip zstd' -- "$cur")); return ;;
        --incremental) COMPREPLY=(); return ;;
        --overlap) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --format --fields --out --compress --incremental --overlap --overwrite --no-csv-guard --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "verify")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -d -- "$cur"))
      ;;
    "trail")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'secret identity entity request trace' -- "$cur"))
      ;;
    "trail secret")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --fields) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --fields --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "trail identity")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --fields) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --fields --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "trail entity")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --fields) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --fields --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "trail request")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --fields) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --fields --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "trail trace")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --fields) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --fields --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "summary")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --by) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --by --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "gaps")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --stream) COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur")); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --inventory) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --inventory-field) COMPREPLY=(); return ;;
        --inventory-window) COMPREPLY=(); return ;;
        --method) COMPREPLY=($(compgen -W 'ids counts' -- "$cur")); return ;;
        --ids-out) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --from-log) COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --stream --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --inventory --inventory-field --inventory-window --method --ids-out --from-log --print-query --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "backfill")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --stream) COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur")); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --inventory) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --inventory-field) COMPREPLY=(); return ;;
        --inventory-window) COMPREPLY=(); return ;;
        --gaps) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --late) COMPREPLY=($(compgen -W 'skip fail restamp archive' -- "$cur")); return ;;
        --max-missing) COMPREPLY=(); return ;;
        --limit) COMPREPLY=(); return ;;
        --report) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --report-md) COMPREPLY=($(compgen -f -- "$cur")); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --stream --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --inventory --inventory-field --inventory-window --missing --all --gaps --late --mark --probe --max-missing --limit --dry-run --verify --new --report --report-md --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "runs")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'list show resume rejects resend prune' -- "$cur"))
      ;;
    "runs list")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "runs show")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--md --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete run 2>/dev/null)" -- "$cur"))
      ;;
    "runs resume")
      case "$prev" in
        --inventory) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --inventory-field) COMPREPLY=(); return ;;
        --inventory-window) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--verify --inventory --inventory-field --inventory-window --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete run 2>/dev/null)" -- "$cur"))
      ;;
    "runs rejects")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete run 2>/dev/null)" -- "$cur"))
      ;;
    "runs resend")
      case "$prev" in
        --file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --late) COMPREPLY=($(compgen -W 'skip fail restamp archive' -- "$cur")); return ;;
        --inventory) COMPREPLY=($(compgen -f -- "$cur")); return ;;
        --inventory-field) COMPREPLY=(); return ;;
        --inventory-window) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--file --late --verify --mark --inventory --inventory-field --inventory-window --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete run 2>/dev/null)" -- "$cur"))
      ;;
    "runs prune")
      case "$prev" in
        --older-than) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--older-than --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "remote-export")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'create status list' -- "$cur"))
      ;;
    "remote-export create")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
        --out) COMPREPLY=(); return ;;
        --format) COMPREPLY=($(compgen -W 'jsonl csv' -- "$cur")); return ;;
        --credentials-path) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --out --format --credentials-path --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "remote-export status")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "remote-export list")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "source")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'add list show test remove types' -- "$cur"))
      ;;
    "source add")
      case "$prev" in
        --type) COMPREPLY=($(compgen -W "$(auditctl __complete source-type 2>/dev/null)" -- "$cur")); return ;;
        --set) COMPREPLY=(); return ;;
        --secret-stdin) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--type --set --secret-stdin --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "source list")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "source show")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete source 2>/dev/null)" -- "$cur"))
      ;;
    "source test")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete source 2>/dev/null)" -- "$cur"))
      ;;
    "source remove")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete source 2>/dev/null)" -- "$cur"))
      ;;
    "source types")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "stream")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'add list show test remove types guide import' -- "$cur"))
      ;;
    "stream add")
      case "$prev" in
        --provider) COMPREPLY=($(compgen -W "$(auditctl __complete provider 2>/dev/null)" -- "$cur")); return ;;
        --set) COMPREPLY=(); return ;;
        --secret-stdin) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--provider --set --secret-stdin --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "stream list")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "stream show")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur"))
      ;;
    "stream test")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--send --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur"))
      ;;
    "stream remove")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur"))
      ;;
    "stream types")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "stream guide")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W "$(auditctl __complete provider 2>/dev/null)" -- "$cur"))
      ;;
    "stream import")
      case "$prev" in
        --set) COMPREPLY=(); return ;;
        --secret-stdin) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--set --secret-stdin --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "config")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'path validate show get set' -- "$cur"))
      ;;
    "config path")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "config validate")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "config show")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--origin --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "config get")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "config set")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=()
      ;;
    "status")
      case "$prev" in
        --stream) COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur")); return ;;
        --window) COMPREPLY=(); return ;;
        --max-lag) COMPREPLY=(); return ;;
        --max-source-age) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--stream --window --max-lag --max-source-age --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "doctor")
      case "$prev" in
        --canary) COMPREPLY=($(compgen -W "$(auditctl __complete stream 2>/dev/null)" -- "$cur")); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--canary --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "browse")
      case "$prev" in
        --from) COMPREPLY=(); return ;;
        --to) COMPREPLY=(); return ;;
        --in) COMPREPLY=(); return ;;
        --event) COMPREPLY=($(compgen -W "$(auditctl __complete event-type 2>/dev/null)" -- "$cur")); return ;;
        --actor) COMPREPLY=(); return ;;
        --actor-type) COMPREPLY=(); return ;;
        --project) COMPREPLY=(); return ;;
        --environment) COMPREPLY=(); return ;;
        --path) COMPREPLY=(); return ;;
        --key) COMPREPLY=(); return ;;
        --entity) COMPREPLY=(); return ;;
        --model) COMPREPLY=(); return ;;
        --ip) COMPREPLY=(); return ;;
        --user-agent-type) COMPREPLY=(); return ;;
        --request-id) COMPREPLY=(); return ;;
        --outcome) COMPREPLY=($(compgen -W 'success failure' -- "$cur")); return ;;
        --where) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--from --to --in --event --actor --actor-type --project --environment --path --key --entity --model --ip --user-agent-type --request-id --outcome --where --explain --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "sandbox")
      case "$prev" in
        --events) COMPREPLY=(); return ;;
        --seed) COMPREPLY=(); return ;;
        --with) COMPREPLY=(); return ;;
        --generation) COMPREPLY=($(compgen -W '2025 2026' -- "$cur")); return ;;
        --drop) COMPREPLY=(); return ;;
        --fault) COMPREPLY=(); return ;;
        --port) COMPREPLY=(); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--events --seed --with --generation --recent --drop --fault --port --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "demo")
      case "$prev" in
        --stream) COMPREPLY=($(compgen -W "$(auditctl __complete provider 2>/dev/null)" -- "$cur")); return ;;
      esac
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--stream --keep --source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      ;;
    "completion")
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur"))
      ;;
    *)
      if [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '--source --config --output --json --shape --settle --concurrency --max-rate --timeout --retries --deadline --wait --quiet --verbose --log-format --no-progress --no-color --tz --time --metrics-file --yes --strict --help --version' -- "$cur")); return; fi
      COMPREPLY=($(compgen -W 'query export verify trail summary gaps backfill runs remote-export source stream config status doctor browse sandbox demo completion help' -- "$cur"))
      ;;
  esac
}
complete -F _auditctl auditctl
