using System.Collections.Concurrent;
using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Tests.Support;
using ImageStore.Runtime.Ttrpc;

namespace ImageStore.Runtime.Tests.Tasks;

/// <summary>A shim whose faults a real one cannot be made to show: the program answers with the address of a server in this process.</summary>
internal sealed class FakeShim : IDisposable
{
    private readonly Folder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ConcurrentBag<Socket> _connections = [];

    public FakeShim()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen();
        _ = AcceptAsync();
        File.WriteAllBytes(_folder.In("deleted"), new DeleteResponse { Pid = 42, ExitStatus = 137 }.ToByteArray());
        Program = _folder.Write("shim", $"""
            #!/bin/sh
            for action; do :; done
            echo "$action" >> {_folder.In("actions")}
            if [ "$action" = delete ]; then exec cat {_folder.In("deleted")}; fi
            echo unix://{Socket}
            """);
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    /// <summary>The program; it is the runtime too.</summary>
    public string Program { get; }

    /// <summary>What its program was run for.</summary>
    public string[] Actions => File.Exists(_folder.In("actions")) ? File.ReadAllLines(_folder.In("actions")) : [];

    /// <summary>What it was called for, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <summary>Answers; null for an answer that never comes.</summary>
    public Func<string, IMessage?> Answer { get; set; } = Usual;

    /// <summary>Where it listens.</summary>
    public string Socket => _folder.In("sock");

    public static IMessage? Usual(string method) => method switch
    {
        "Create" => new CreateTaskResponse { Pid = 42 },
        "State" => new StateResponse { Id = "id", Pid = 42, Status = Protocol.Tasks.TaskStatus.Running },
        "Delete" => new DeleteResponse { Pid = 42, ExitStatus = 5 },
        "Wait" => null,
        _ => new Empty(),
    };

    /// <summary>Waits until it was called for that.</summary>
    public async Task CalledAsync(string method, CancellationToken cancellationToken)
    {
        while (!Calls.Contains(method))
        {
            await Task.Delay(10, cancellationToken);
        }
    }

    /// <summary>Closes all connections, as a shim that is killed.</summary>
    public void Kill()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }
    }

    /// <summary>Listens no more, and leaves the socket, as one that is killed.</summary>
    public void StopListening()
    {
        // .NET removes the file of a socket that it has bound.
        var kept = Socket + ".kept";
        File.Move(Socket, kept);
        _listener.Dispose();
        File.Move(kept, Socket);
    }

    public void Dispose()
    {
        Kill();
        _listener.Dispose();
        _folder.Dispose();
    }

    private async Task AcceptAsync()
    {
        var server = new TtrpcServer(
            async (call, cancellation) =>
            {
                Calls.Enqueue(call.Method);
                if (Answer(call.Method) is { } answer)
                {
                    return answer;
                }

                await Task.Delay(Timeout.Infinite, cancellation);
                throw new OperationCanceledException();
            },
            TimeProvider.System);
        try
        {
            while (true)
            {
                var connection = await _listener.AcceptAsync();
                _connections.Add(connection);
                _ = ServeAsync(server, connection);
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
        }
    }

    private static async Task ServeAsync(TtrpcServer server, Socket connection)
    {
        try
        {
            await server.ServeAsync(new NetworkStream(connection), CancellationToken.None);
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }
}
