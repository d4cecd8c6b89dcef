require "fileinto";

# Amavis sets this header, and takes away what a stranger has put there.
if header :is "X-Spam-Flag" "YES" {
    fileinto "Junk";
    stop; # no script of the user's comes after this one: spam gets no vacation answer
}
