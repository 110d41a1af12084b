# shellcheck shell=bash disable=SC2034,SC2154
# Checks of what was typed.

# unknown_argument COMMAND ARGUMENT
unknown_argument() {
  if [[ $2 == -* ]]; then
    die "unknown option '$2' of '$1'; ./course $1 --help lists the options"
  fi
  die "'$1' does not take '$2'; see ./course $1 --help"
}

# need_value OPTION COUNT [VALUE]: COUNT is what is left of the command line, the option itself included.
need_value() {
  [[ $2 -ge 2 && -n ${3:-} ]] || die "$1 needs a value, as in $1 ${4:-VALUE}"
}

# need_whole_number OPTION VALUE
need_whole_number() {
  [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || die "$1 takes a whole number from 1, not '$2'"
}

# preset_names: the presets that can be built, one a line.
preset_names() {
  sed -n '/"buildPresets"/,/\]/s/.*"name": *"\([^"]*\)".*/\1/p' "$root/CMakePresets.json"
}

# need_preset NAME
need_preset() {
  preset_names | grep -qxF -- "$1" || die "unknown preset '$1'; there are: $(preset_names | paste -s -d ' ' | sed 's/ /, /g')"
}
