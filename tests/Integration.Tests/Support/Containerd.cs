using System.Diagnostics;

namespace ImageStore.Integration.Tests.Support;

/// <summary>Debian's containerd with folders of its own.</summary>
internal sealed class Containerd : IAsyncDisposable
{
    private const int Attempts = 200;

    private readonly Process _server;
    private readonly string _socket;

    private Containerd(Process server, string socket) => (_server, _socket) = (server, socket);

    public static async Task<Containerd> StartAsync(string work)
    {
        Directory.CreateDirectory(work);
        var socket = Path.Combine(work, "sock");
        var config = Path.Combine(work, "config.toml");
        await File.WriteAllTextAsync(config, $"""
            version = 2
            root = "{work}/root"
            state = "{work}/state"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
            [grpc]
              address = "{socket}"
            """);
        var server = Run.Start("containerd", ["--config", config]);
        server.BeginErrorReadLine();
        server.BeginOutputReadLine();
        var containerd = new Containerd(server, socket);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if ((await Run.TryAsync("ctr", ["-a", socket, "version"])).ExitCode == 0)
            {
                return containerd;
            }

            await Task.Delay(50);
        }

        await containerd.DisposeAsync();
        throw new InvalidOperationException("containerd does not answer.");
    }

    public Task<string> CtrAsync(params string[] arguments) => Run.AsyncOk("ctr", ["-a", _socket, .. arguments]);

    public async ValueTask DisposeAsync()
    {
        _server.Kill();
        await _server.WaitForExitAsync();
        _server.Dispose();
    }
}
