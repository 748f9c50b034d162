namespace ImageStore.Integration.Tests.Tasks;

/// <summary>Debian's containerd with our shim in its PATH.</summary>
public static class ContainerdWithOurShim
{
    private const string Name = "containerd with our shim";

    /// <summary>One for all, whose leftovers are looked for when all are done.</summary>
    [CollectionDefinition(Name)]
    public sealed class Group : ICollectionFixture<Node>;

    public sealed class Node() : TaskNode(OurRuntime, OurShim)
    {
        public override string Shim => Built(OurShim);

        protected override string Command()
        {
            File.WriteAllText(Path.Combine(Work, "config.toml"), $"""
                version = 2
                root = "{Work}/root"
                state = "{Work}/state"
                disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
                [grpc]
                  address = "{Socket}"
                """);
            return $"env PATH={Path.GetDirectoryName(Shim)}:$PATH containerd --config {Work}/config.toml";
        }
    }

    [Collection(Name)]
    public sealed class Events(Node node) : EventTests(node);

    [Collection(Name)]
    public sealed class Run(Node node) : RunTests(node);

    [Collection(Name)]
    public sealed class Stdio(Node node) : StdioTests(node);

    [Collection(Name)]
    public sealed class Survival(Node node) : SurvivalTests(node);

    [Collection(Name)]
    public sealed class Tasks(Node node) : TaskTests(node);
}
