"""The FastAPI form of the same guard: a port on the first line, the CPU time for each line read, the end with its parent."""
import json
import os
import socket
import sys
import threading

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt

settings = json.loads(sys.argv[1])
app = FastAPI()
bearer = HTTPBearer(auto_error=False)


async def get_current_user(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> str:
    if credentials is None:
        raise HTTPException(401, "Missing authentication token")
    try:
        claims = jwt.decode(credentials.credentials, settings["secret"], algorithms=[settings["algorithm"]],
                            audience=settings["audience"], issuer=settings["issuer"])
    except JWTError:
        raise HTTPException(401, "Invalid token")
    return claims["sub"]


async def verify_user_access(user_id: str, current_user: str = Depends(get_current_user)) -> str:
    if user_id != current_user:
        raise HTTPException(403, "Cannot access another user's resources")
    return current_user


@app.get("/api/{user_id}/tasks")
async def list_tasks(user: str = Depends(verify_user_access)):
    return {"tasks": [{"id": 1, "title": "Buy milk", "completed": False}, {"id": 2, "title": "Call the bank", "completed": True}]}


def report():
    for _ in sys.stdin:
        print(os.times().user, os.times().system, flush=True)
    os._exit(0)


# Of the protocol TCP by name: asyncio would not turn Nagle's algorithm off otherwise, and each answer wait 40 ms.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=report, daemon=True).start()
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
