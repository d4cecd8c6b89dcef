# judge_pair CERTIFICATE KEY: why no daemon could serve with this pair, in one sentence; nothing where it could.
# OpenSSL itself loads both, as the daemons do, and so knows what they would refuse (another's key, a key too short, a broken
# chain); the connection it then tries goes nowhere. The key is read on the host alone, and nothing of it is printed.
judge_pair() {
    command -v openssl >/dev/null || return 0 # a host on which nothing is installed yet
    [ -f "$1" ] || { echo "$1 is not there"; return 0; }
    [ -f "$2" ] || { echo "$2 is not there"; return 0; }
    grep -q 'BEGIN.*CERTIFICATE' "$1" || { echo "$1 is no certificate in PEM (-----BEGIN CERTIFICATE-----)"; return 0; }
    grep -q 'BEGIN.*PRIVATE KEY' "$2" || { echo "$2 is no private key in PEM"; return 0; }
    ! grep -q ENCRYPTED "$2" || {
        echo "$2 has a passphrase, which nobody can type when the host starts (openssl pkey -in $2 takes it off)"
        return 0
    }
    openssl crl2pkcs7 -nocrl -certfile "$1" -out /dev/null 2>/dev/null || { echo "$1 is broken: OpenSSL cannot read all of it"; return 0; }
    loaded=$(openssl s_client -cert "$1" -key "$2" -pass pass: -connect 127.0.0.1:1 </dev/null 2>&1) || : # it fails in any case
    case $loaded in
    *connect:errno=* | *CONNECTED*) ;;
    *mismatch*) echo "$1 does not belong to the key $2 (the server's own certificate has to be the first of its file)" ;;
    *) echo "OpenSSL refuses $1 with $2: $(printf '%s\n' "$loaded" | sed -n 's/.*::*error:[^:]*:[^:]*:[^:]*:\([^:]*\):.*/\1/p; /^Could not/p' | head -n1)" ;;
    esac
}
