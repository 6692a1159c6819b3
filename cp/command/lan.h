/* What DEFINE, DETACH and QUERY do about networks. */
#pragma once
struct call;

unsigned define_lan(struct call *);
unsigned detach_lan(struct call *);
unsigned query_lan(struct call *);
unsigned query_nic(struct call *);
