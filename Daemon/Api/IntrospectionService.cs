using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using ImageStore.Daemon.Filters;
using ImageStore.Engine.Serving;
using ImageStore.Store;
using ImageStore.Store.Errors;
using V1 = ImageStore.Daemon.Protocol.IntrospectionV1;

namespace ImageStore.Daemon.Api;

/// <summary><c>containerd.services.introspection.v1</c>.</summary>
internal sealed class IntrospectionService(ServedStore store, PluginList plugins) : V1.Introspection.IntrospectionBase
{
    private const int MaxIdBytes = 64;
    private readonly Lazy<string> _uuid = new(() => ReadOrMakeId(Path.Combine(store.Root, StoreRoot.IdName)));

    public override async Task<V1.PluginsResponse> Plugins(V1.PluginsRequest request, ServerCallContext context)
    {
        var filter = Filter.Parse(request.Filters);
        var all = await plugins.ListAsync(context.CancellationToken).ConfigureAwait(false);
        return new V1.PluginsResponse { Plugins = { all.Where(plugin => filter.Matches(FieldsOf(plugin))) } };
    }

    public override Task<V1.ServerResponse> Server(Empty request, ServerCallContext context) => Task.FromResult(new V1.ServerResponse
    {
        Uuid = _uuid.Value, Pid = (ulong)Environment.ProcessId, Pidns = ProcessNamespace(),
    });

    public override async Task<V1.PluginInfoResponse> PluginInfo(V1.PluginInfoRequest request, ServerCallContext context)
    {
        var all = await plugins.ListAsync(context.CancellationToken).ConfigureAwait(false);
        var found = all.FirstOrDefault(plugin => plugin.Type == request.Type && plugin.Id == request.Id) ?? throw new ImageStoreException(
            ErrorKind.NotFound, $"There is no plugin {Printable.Of(request.Type)}.{Printable.Of(request.Id)}.");
        return new V1.PluginInfoResponse { Plugin = found };
    }

    private static FieldLookup FieldsOf(V1.Plugin plugin) => (IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "type" => Fields.Text(plugin.Type, out value),
        "id" => Fields.Text(plugin.Id, out value),
        _ => Fields.None(out value),
    };

    private static string ReadOrMakeId(string path)
    {
        if (File.Exists(path))
        {
            var known = SmallFile.ReadText(path, MaxIdBytes).Trim();
            return Guid.TryParseExact(known, "D", out _) ? known : throw new ImageStoreException(
                ErrorKind.CorruptData, $"The file {Printable.Of(path)} does not hold an id.", "Remove it: the daemon makes a new one.");
        }

        var made = Guid.NewGuid().ToString("D");
        WholeFile.Write(path, Encoding.ASCII.GetBytes(made), WholeFile.Private);
        return made;
    }

    // It reads pid:[4026531836].
    private static ulong ProcessNamespace() =>
        File.ResolveLinkTarget("/proc/self/ns/pid", returnFinalTarget: false)?.Name.Split('[', ']') is [_, var number, _]
        && ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
}
