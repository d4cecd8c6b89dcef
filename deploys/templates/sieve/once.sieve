{#!
A program that dies between handing a letter on and noting that it did hands it on again, and so it should: a letter that comes
twice is better than none. Here the second one is known by what our own first hop wrote, never by what the sender wrote (who could
then suppress a letter of somebody else's): the fourth Received line from above, below those of LMTP, of Postfix behind the
workers, and of Amavis.
!#}
require ["duplicate", "variables", "index"];

# Our first hop's name for this letter, with the time; and the address that it was sent to, since each alias gets a copy.
if header :index 4 :matches "Received" "*by {{ mail_hostname }} (Postfix*) *id *" {
    set "letter" "${4}";
    if header :index 1 :matches "X-Original-To" "*" {
        if duplicate :handle "once" :uniqueid "${letter} ${1}" :seconds 43200 {
            discard;
            stop;
        }
    }
}
