#!/bin/sh
. "$(dirname "$0")/lib.sh"

write src/dialect/chat/chat.c '#include "dialect/chat/chat.h"' '#include "dialect/common.h"' '#include "ir/event.h"' \
    '#include "json/scan.h"' '#include "triglot/str.h"' '#include <stdio.h>'
write src/main.c '#include "gate/gate.h"' '#include "dialects.inc"'
passes "$tools/check-layers"

write src/base/x.c '' '#include "dialect/chat/chat.h"'
fails 'src/base/x.c:3: base may not include dialect/chat/chat.h' "$tools/check-layers"
write src/base/x.c '#include "dialects.inc"'
fails 'src/base/x.c:2: base may not include dialect/dialects.inc' "$tools/check-layers"
write src/base/x.c

write src/dialect/messages/m.c '#include "dialect/chat/chat.h"'
fails 'dialect/messages may not include dialect/chat/chat.h (a sibling folder)' "$tools/check-layers"
write src/dialect/messages/m.c '#include "co/co.h"'
fails 'm.c:2: dialect may not include co/co.h' "$tools/check-layers"
write src/dialect/messages/m.c '#  include   "m.h"'
fails 'write the layer' "$tools/check-layers"
rm src/dialect/messages/m.c

write include/triglot/y.h '#include "base/buf.h"'
fails 'include/triglot may not include base/buf.h' "$tools/check-layers"
rm include/triglot/y.h

write src/net/n.c '#include "nets/x.h"'
fails 'no such layer: nets/x.h' "$tools/check-layers"
rm src/net/n.c
mkdir src/extra
write src/extra/e.c
fails 'layer extra is not in tools/layers.tab' "$tools/check-layers"
