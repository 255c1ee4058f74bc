/** The deployer, as a program for Node. */
export declare const deployerProgram: string;
