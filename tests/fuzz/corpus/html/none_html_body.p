body.p
