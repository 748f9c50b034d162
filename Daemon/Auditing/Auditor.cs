using System.Text;
using Grpc.Core;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Hosting;
using ImageStore.Engine.Configuration;

namespace ImageStore.Daemon.Auditing;

/// <summary>Tells who did what and who was denied what, in the places that the configuration says.</summary>
/// <remarks>The owner disposes it after the last call.</remarks>
internal sealed class Auditor : IAsyncDisposable
{
    private readonly AuditLog? _log;
    private readonly bool _isOnStandardError;
    private readonly DaemonLife _life;
    private readonly TimeProvider _time;
    private readonly DenialBudget _denials;

    private Auditor(AuditLog? log, bool isOnStandardError, DaemonLife life, TimeProvider time)
    {
        (_log, _isOnStandardError, _life, _time) = (log, isOnStandardError, life, time);
        _denials = new DenialBudget(time);
    }

    /// <summary>Opens what the settings name.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">The file cannot be opened.</exception>
    public static Auditor Open(AuditSettings settings, DaemonLife life, TimeProvider time) => new(
        settings.File is { } file ? AuditLog.Open(file, settings, life.Tell, time) : null, settings.IsOnStandardError, life, time);

    /// <summary>Is it told of a call that ended so?</summary>
    public bool IsTold(string method, StatusCode code) => code == StatusCode.PermissionDenied
        || ((_log is not null || _isOnStandardError) && MethodRights.All.TryGetValue(method, out var right) && right.Changes);

    /// <summary>Tells of a call; it never fails.</summary>
    public ValueTask RecordAsync(Peer? peer, string method, string? @namespace, string? about, StatusCode code)
    {
        var isDenial = code == StatusCode.PermissionDenied;
        var left = isDenial ? _denials.Take(peer?.User) : 1;
        if (left < 0)
        {
            return ValueTask.CompletedTask;
        }

        var line = AuditLine.Of(_time.GetUtcNow(), peer, method, @namespace, about, code, isLast: left == 0);
        if (isDenial || _isOnStandardError)
        {
            _life.Tell($"{(isDenial ? "denied" : "audit")}: {Encoding.UTF8.GetString(line).TrimEnd()}");
        }

        return _log?.WriteAsync(line) ?? ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _log?.DisposeAsync() ?? ValueTask.CompletedTask;
}
