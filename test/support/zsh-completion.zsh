# zsh -f zsh-completion.zsh FOLDER LINE…: what the TAB key offers after LINE, a word a line, by the functions in FOLDER.
# The completion runs in a terminal of its own, where each word that would be offered is printed instead.
zmodload zsh/zpty || exit 2
folder=$1
shift
setup='
PROMPT=
fpath=('$folder' $fpath)
autoload -Uz compinit
compinit -u -D
bindkey "^M" undefined
bindkey "^J" undefined
bindkey "^I" complete-word
mark () { print -rn -- $'"'\0'"' }
compprefuncs=( mark )
comppostfuncs=( mark exit )
compadd () {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  typeset -a words
  builtin compadd -A words "$@"
  builtin compadd "$@"
  for word in $words; do print -r -- "$word"; done
}
echo ready
'
() {
  zpty z zsh -f -i
  zpty -w z "source $1"
  repeat 20; do
    zpty -r z line
    [[ $line == ready* ]] && return
  done
  exit 2
} =(<<< $setup)
zpty -w -n z "$*"$'\t'
# What lies between the two marks.
zpty -r z text $'*\0*\0'
[[ $text == *$'\0'* ]] || exit 3
text=${text#*$'\0'}
print -r -- ${${text%$'\0'*}//$'\r'/}
