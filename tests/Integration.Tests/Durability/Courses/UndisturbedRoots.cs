using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Looks at what commands leave when nothing disturbs them, to compare with when something does.</summary>
/// <param name="mountable">The images whose trees are taken as soon as they are there.</param>
/// <param name="boot">Where the program runs.</param>
/// <param name="scratch">Where copies of the root go.</param>
internal sealed class UndisturbedRoots(IReadOnlyList<(string Namespace, string Name)> mountable, Boot boot, Scratch scratch)
{
    private readonly Dictionary<(string Namespace, string Name), SortedDictionary<string, string>> _trees = [];

    /// <summary>What the images show when they are mounted, by namespace and name.</summary>
    public IReadOnlyDictionary<(string Namespace, string Name), SortedDictionary<string, string>> Trees => _trees;

    /// <summary>What the root has after the step, and after what nothing keeps was collected. Works on a copy.</summary>
    public async Task<StoreView> LookAsync(DiskState state, Step step, Facts goal, CancellationToken cancellationToken)
    {
        var copy = scratch.NewFolder("undisturbed");
        new DiskWriter(state).WriteTo(copy);
        var cli = new StoreCli(Path.Combine(copy, RecordedCourse.RootName), boot);
        if (step.Death is not null)
        {
            await Cleaning.OkAsync(cli, step.Namespace, step.Arguments);
        }

        var view = await Cleaning.CollectAsync(cli, await StoreView.ReadAsync(cli, cancellationToken), cancellationToken);
        var here = mountable.Where(image => boot.Account.Unpacks
            && !_trees.ContainsKey(image) && goal.HasImage(image.Namespace, image.Name));
        foreach (var image in here.ToList())
        {
            _trees[image] = await MountedTree.ReadAsync(cli, image.Namespace, image.Name, scratch.New("mount"));
        }

        Directory.Delete(copy, recursive: true);
        return view;
    }
}
