#!/bin/sh
# Installs Debian's Chromium and a Chinese font if they are missing and this user may; else says what to do.
if command -v chromium >/dev/null 2>&1 && fc-list :lang=zh 2>/dev/null | grep -q .; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        chromium fonts-noto-cjk fontconfig >/dev/null && exit 0
fi
echo "Browser tests need Chromium and a Chinese font, e.g.: sudo apt-get install chromium fonts-noto-cjk fontconfig" >&2
exit 0
